import type { Logger } from 'pino';
import { isFinal } from '../../master/coordination/job-state.ts';
import type { JobRecord } from '../../master/storage/job-record.ts';
import { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';
import type { JobCommit } from '../../master/storage/sqlite-job-store.ts';
import { LIMITS, type ExchangeLimits } from '../../pipeline/limits.ts';
import { FileDisk } from './file-disk.ts';
import type { FaultRates } from './faults.ts';
import { pickFaults } from './faults.ts';
import { Invariants, Violation } from './invariants.ts';
import { ObjectDisk } from './object-disk.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { SimBroker } from './sim-broker.ts';
import type { SimDisk } from './sim-disk.ts';
import { startMaster } from './sim-master.ts';
import type { SimMaster, Wrappers } from './sim-master.ts';
import { brokenWord, unsent } from './sim-job.ts';
import type { SimJob } from './sim-job.ts';
import { sendResumably, sendWhole } from './sim-upload.ts';
import { SimProcess } from './sim-process.ts';
import { StateDisk } from './state-disk.ts';
import { startWorker } from './sim-worker.ts';
import type { SimWorker } from './sim-worker.ts';
import { EXCHANGE } from './workload.ts';

// Bounds of production, so small that some ten chunks meet them.
Object.assign(LIMITS, {
  reorderChunksMin: 5,
  reorderChunksPerTask: 1,
  windowTasksMin: 2,
  windowTasksPerWorker: 2,
  backlogChunksMin: 4,
  ...{ magicBytesMax: 8, sniffBytesMax: 64 },
  ...{ uploadBytesInFlightMax: 96, uploadMessageBytes: 48 },
  chunkMemoryStepBytes: 256,
  ...{ spoolFileBytes: 64, spoolUnsyncedBytesMax: 160 },
});

/** Of all runs, one after another: to open it costs more than a small run. Empty between them. */
const STORE = new SqliteJobStore(':memory:');

/** More than a world comes to: one that is sent again may have several. */
const JOBS_MAX = 1_000;

/** Of the worlds that store blobs in files: a call of the store is several there. */
const FILES_SHARE = 0.12;

/** Of the worlds in which results are gathered. */
const GATHERING_SHARE = 0.2;
const GATHERING = 0x67617468;

/** Everything there is in one run: processes, network, disk, time, and who watches them. */
export class World {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly disk: SimDisk;
  readonly broker: SimBroker;
  readonly store = STORE;
  readonly state: StateDisk;
  readonly invariants: Invariants;
  readonly faults: FaultRates;
  readonly wrappers: Wrappers;
  readonly jobs: SimJob[] = [];
  /** In some worlds results are gathered before a wave reads them, in one level or several. */
  readonly exchangeLimits: ExchangeLimits;
  readonly workers: (SimWorker | null)[];
  /** Those that will start as an earlier version of themselves. */
  readonly staleWorkers = new Set<number>();
  master: SimMaster | null = null;
  clockSkewMs = 0;
  /** When the clock was set, in the world's own time. */
  readonly clockSetAtMs: number[] = [];
  /** The clock was never farther ahead. */
  clockSkewMaxMs = 0;
  /** Blobs that were removed because no job needed them. */
  collectedCount = 0;
  /** Once everything works again, it goes on working. */
  isHealed = false;
  readonly log: Logger;
  #idCount = 0;

  constructor(seed: number, wrappers: Wrappers = {}) {
    this.random = new Random(seed);
    // Of a random number of its own: what else a seed decides does not depend on it.
    const gathers = new Random(seed + GATHERING).chance(GATHERING_SHARE);
    this.exchangeLimits = gathers ? { ...EXCHANGE, fanInMax: 2, gatheredFanInMax: 2 } : EXCHANGE;
    this.wrappers = wrappers;
    this.scheduler = new Scheduler(this.random);
    this.state = new StateDisk(this.store, this.random);
    this.disk = this.#makeDisk();
    wrappers.files?.(this.disk.files);
    this.faults = pickFaults(this.random);
    this.disk.faultRate = this.faults.disk;
    const workerCount = this.random.between(1, 3);
    this.workers = Array.from({ length: workerCount }, () => null);
    const { disk } = this;
    // What a fault took away since was durable all the same.
    const isDurable = (name: string) => disk.isDurable(name) || disk.everDamaged.has(name);
    this.invariants = new Invariants(workerCount, isDurable);
    const mode = this.random.chance(0.3) ? 'in-process' : 'rabbitmq';
    this.disk.onCollected = (name) => this.checkRemoved(name);
    this.broker = new SimBroker(mode, this.scheduler, this.random, this.invariants);
    const note = (facts: { event?: string; err?: unknown }, message: string): void => {
      const reason = facts.err instanceof Error ? facts.err.message : '';
      this.scheduler.note(`log: ${message} ${facts.event ?? ''} ${reason}`);
    };
    this.log = { error: note, warn: note, info: note, debug: note } as unknown as Logger;
  }

  /** The master's wall clock: it may jump. */
  clockMs(): number {
    return 1_767_225_600_000 + this.scheduler.nowMs + this.clockSkewMs;
  }

  start(): void {
    this.#startMaster();
    this.workers.forEach((_, at) => this.#startWorker(at));
  }

  close(): void {
    this.master?.process.kill('the run is over');
    for (const worker of this.workers) worker?.process.kill('the run is over');
    this.state.clear();
  }

  /** The client sends the job as soon as there is a master, and again when it was told to wait. */
  submit(job: SimJob, afterMs: number): void {
    this.jobs.push(job);
    const send = (): void => {
      if (job.isAbandoned) {
        job.isUploading = false;
        return;
      }
      if (job.isResumable) {
        sendResumably(this, job);
        return;
      }
      if (this.master === null || !this.master.isReady || !this.master.process.alive) {
        this.scheduler.after(50, `client of ${job.name} waits`, send);
        return;
      }
      sendWhole(this, this.master, job, again);
    };
    const again = (): void => {
      const delayMs = this.random.next() * 100;
      this.scheduler.after(delayMs, `client of ${job.name} sends again`, send);
    };
    job.isUploading = true;
    this.scheduler.after(afterMs, `client sends ${job.name}`, send);
  }

  /** The same input once more, as another job. */
  sendAgain(job: SimJob): void {
    const name = `${job.name}-again${this.jobs.length}`;
    const again = { ...job, ...unsent(), name, key: job.key === null ? null : name };
    this.submit(again, this.random.next() * 20);
  }

  /** Ids come in order, as those of production. */
  newJobId(): string {
    this.#idCount += 1;
    return `j${String(this.#idCount).padStart(3, '0')}`;
  }

  /** A client's job is there, or there anew. */
  inserted({ id, name }: JobRecord): void {
    const job = this.jobs.find((one) => name === `${one.name}.csv`);
    if (job === undefined) return;
    job.id = id;
    job.told.clear();
    job.command = null;
    job.isRemoved = false;
    job.isUnwanted = false;
  }

  /** A promise is, if none was before. */
  broken(message: string): void {
    this.invariants.violation ??= new Violation(message);
  }

  /** Nobody but people cancels a job. */
  checkCancelled({ jobId, state }: JobCommit): void {
    if (state.status !== 'cancelled') return;
    const job = this.jobs.find(({ id }) => id === jobId);
    if (job === undefined || job.isUnwanted) return;
    this.invariants.violation ??= new Violation(`${job.name} is cancelled, and nobody asked`);
  }

  removed(id: string): void {
    for (const job of this.jobs) if (job.id === id) job.isRemoved = true;
  }

  setClock(skewMs: number): void {
    this.clockSkewMs = skewMs;
    this.clockSkewMaxMs = Math.max(this.clockSkewMaxMs, skewMs);
    this.clockSetAtMs.push(this.scheduler.nowMs);
  }

  /** The committed job; undefined before it was submitted and after it was deleted. */
  stateOf(job: Pick<SimJob, 'id'>) {
    return this.invariants.jobs.get(job.id)?.state;
  }

  /** Whether nothing is left to do. */
  isSettled(): boolean {
    return (
      this.master?.process.alive === true &&
      this.jobs.every((job) => {
        const state = this.stateOf(job);
        return !job.isUploading && (state === undefined || isFinal(state));
      })
    );
  }

  /** A worker is told to end, finishes what it computes, and is started again. */
  stopWorker(at: number): void {
    const worker = this.workers[at];
    if (worker == null || !worker.process.alive) return;
    worker.worker.stop().then(
      () => worker.process.kill('stopped as it was told'),
      () => worker.process.kill('cannot stop'),
    );
  }

  /** The master's machine goes down, or all of them, and with it what was not synced. */
  losePower(ofAll: boolean): void {
    const reason = 'the power is gone';
    this.master?.process.kill(reason);
    if (ofAll) {
      for (const worker of this.workers) worker?.process.kill(reason);
      this.broker.restart(this.random.between(1, 500), false);
    }
    this.disk.losePower();
    this.scheduler.note(`${this.state.losePower()} commits are lost`);
    const { store } = this;
    const records = store.jobs({ status: null, q: null, before: null, limit: JOBS_MAX });
    this.invariants.restored(
      records.map((record) => {
        const chunks = store.chunks(record.id, 0, record.state.chunkCount);
        return { record, chunks };
      }),
    );
    for (const job of this.jobs) {
      const broken = brokenWord(job, this.stateOf(job));
      if (broken !== null) this.broken(broken);
    }
  }

  /** What a committed row refers to is not garbage. */
  checkRemoved(name: string): void {
    const [room, key = ''] = name.split('/');
    const { store } = this;
    const isNeeded =
      (room === 'chunks' && store.isChunkKeyUsed(key)) ||
      (room === 'results' && store.isTaskKeyUsed(key)) ||
      (room === 'contexts' && store.isContextKeyUsed(key)) ||
      (room === 'outputs' && store.job(key) !== null);
    if (isNeeded) this.broken(`${name} is removed, and needed`);
    this.collectedCount += 1;
  }

  #makeDisk(): SimDisk {
    if (!this.random.chance(FILES_SHARE)) return new ObjectDisk(this.random);
    return new FileDisk(this.random);
  }

  #process(name: string): SimProcess {
    return new SimProcess(name, this.scheduler, this.random, (message) => {
      this.broken(message);
    });
  }

  #startMaster(): void {
    const process = this.#process('master');
    process.onEnd(() => {
      this.invariants.masterEnded();
      const delayMs = this.random.between(1, 400);
      this.scheduler.after(delayMs, 'master is started again', () => this.#startMaster());
      if (this.broker.mode === 'in-process') this.#endChildren();
    });
    this.master = startMaster(this, process);
  }

  /** Workers of an embedded queue end with their master. */
  #endChildren(): void {
    for (const worker of this.workers) {
      if (worker === null) continue;
      const delayMs = this.random.below(30);
      this.scheduler.after(delayMs, `${worker.process.name} sees its master gone`, () =>
        worker.process.kill('the master is gone'),
      );
    }
  }

  #startWorker(at: number): void {
    const again = (delayMs: number): void => {
      this.scheduler.after(delayMs, `w${at} is started`, () => this.#startWorker(at));
    };
    if (this.broker.mode === 'in-process' && this.master?.process.alive !== true) {
      again(50);
      return;
    }
    const process = this.#process(`w${at}`);
    process.onEnd(() => again(this.random.between(10, 300)));
    const isStale = this.staleWorkers.delete(at) && !this.isHealed;
    this.workers[at] = startWorker(this, process, isStale);
  }
}
