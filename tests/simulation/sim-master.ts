import path from 'node:path';
import { Assemblies } from '../../master/aggregator/assemblies.ts';
import { Coordinator } from '../../master/driver/coordinator.ts';
import type { GarbageCollectorDeps } from '../../master/housekeeping/garbage-collector.ts';
import type { HousekeeperDeps } from '../../master/housekeeping/housekeeper.ts';
import { LocalMasterService } from '../../master/master-service.ts';
import { WorkerRegistry } from '../../master/driver/worker-registry.ts';
import type { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';
import type { JobCommit } from '../../master/storage/sqlite-job-store.ts';
import type { JobRecord } from '../../master/storage/job-record.ts';
import type { TaskConsumer } from '../../pipeline/protocol/index.ts';
import type { BlobStore, CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import type { Invariants } from './invariants.ts';
import { keepHouse, watchedDeletes } from './sim-housekeeping.ts';
import { simulatedThreads } from './sim-ingest.ts';
import type { SimFiles } from './sim-files.ts';
import { ProcessEnded } from './sim-process.ts';
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

/** What a mutation may put between the production code and the simulated world. */
export interface Wrappers {
  readonly store?: (store: SqliteJobStore, process: SimProcess) => SqliteJobStore;
  readonly assemblies?: (assemblies: Assemblies, process: SimProcess) => Assemblies;
  readonly workerBlobs?: (blobs: BlobStore, process: SimProcess) => BlobStore;
  readonly garbage?: (deps: GarbageCollectorDeps) => GarbageCollectorDeps;
  readonly consumer?: (consumer: TaskConsumer, process: SimProcess) => TaskConsumer;
  readonly housekeeper?: (deps: HousekeeperDeps) => HousekeeperDeps;
  /** What a worker of an earlier version takes itself for. */
  readonly staleEngine?: string;
  /** Breaks the disk's own promises, as if production did not ask for them. */
  readonly files?: (files: SimFiles) => void;
}

/** An upload is given up after so long without its client. */
const UPLOAD_EXPIRY_MS = 5_000;
const READER_IDLE_MS = 200;
const SYNC_MS = 1;

/** One life of the master: the production coordinator and aggregator on a simulated world. */
export interface SimMaster {
  readonly process: SimProcess;
  readonly store: SqliteJobStore;
  readonly blobs: CollectableBlobStore;
  readonly assemblies: Assemblies;
  readonly coordinator: Coordinator;
  readonly service: LocalMasterService;
  /** Whether it takes requests. */
  isReady: boolean;
}

export function startMaster(world: World, process: SimProcess): SimMaster {
  const watched = watchedStore(world, process);
  const store = world.wrappers.store?.(watched, process) ?? watched;
  const blobs = world.disk.view(process);
  const assembling = new Assemblies({ store, blobs, now: () => world.scheduler.nowMs });
  const inner = world.wrappers.assemblies?.(assembling, process) ?? assembling;
  const assemblies = watchedAssemblies(inner, world.invariants);
  const now = () => world.clockMs();
  const shared = {
    ...{ store, blobs, assemblies, now, sleep: process.sleep, log: world.log },
    queue: world.broker.producer(process),
    workers: new WorkerRegistry(now),
    exchangeLimits: world.exchangeLimits,
  };
  const coordinator = new Coordinator(shared);
  const service = new LocalMasterService({
    ...shared,
    ...{ coordinator, ingestThreads: simulatedThreads(process, blobs) },
    blobs: watchedDeletes(world, blobs),
    housekeeping: { blobsRemoved: 0, jobsExpired: 0, sweepsFailed: 0 },
    uploads: {
      dir: path.join(world.disk.files.mount(process), 'uploads'),
      ...{ expiryMs: UPLOAD_EXPIRY_MS, readerIdleMs: READER_IDLE_MS },
    },
    timers: {
      after: (ms, action) => process.after(ms, 'timer', action),
      every: (ms, action) => process.every(ms, 'timer', action),
    },
    newId: () => world.newJobId(),
  });
  const master: SimMaster = {
    ...{ process, store, blobs, assemblies, coordinator, service, isReady: false },
  };
  // As main.ts does: a master that cannot start ends, and is started again.
  const start = async (): Promise<void> => {
    await blobs.removeTemporaries();
    await coordinator.start();
    await service.resumable.start();
    master.isReady = true;
    keepHouse(world, master);
  };
  start().catch(() => process.kill('cannot start'));
  return master;
}

/** The store as one life of the master sees it: commits fail, or are the last thing it does. */
function watchedStore(world: World, process: SimProcess): SqliteJobStore {
  const { store, state, invariants, random, faults } = world;
  const mayFail = (): void => {
    if (random.chance(faults.commitFailure)) {
      throw new Error('SQLITE_FULL: database or disk is full');
    }
  };
  const commit = (one: JobCommit): void => {
    mayFail();
    const crash = random.chance(faults.crashAtCommit);
    if (crash && random.chance(0.5)) {
      process.kill('before a commit');
      throw new ProcessEnded();
    }
    state.commit(one);
    world.checkCancelled(one);
    invariants.committed(one, () => store.job(one.jobId)?.state);
    if (crash) process.kill('after a commit, before its effects');
  };
  const overridden: Record<string, unknown> = {
    commit,
    insertJob: (record: JobRecord) => {
      mayFail();
      state.insertJob(record);
      invariants.inserted(record);
      world.inserted(record);
    },
    releaseIdempotencyKey: (id: string) => {
      mayFail();
      state.releaseIdempotencyKey(id);
    },
    deleteJob: (id: string) => {
      mayFail();
      state.deleteJob(id);
      invariants.deleted(id);
      world.removed(id);
    },
    sync: () => {
      const { writeCount } = state;
      return process.call('sync state', SYNC_MS, () => {
        if (!process.alive) return;
        world.disk.files.mayFail('the log of the state');
        state.synced(writeCount);
      });
    },
  };
  return new Proxy(store, {
    get: (target, name: string) => {
      const member = overridden[name] ?? Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (!process.alive) throw new ProcessEnded();
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

function watchedAssemblies(assemblies: Assemblies, invariants: Invariants): Assemblies {
  const overridden: Record<string, unknown> = {
    merge: async (...args: Parameters<Assemblies['merge']>) => {
      const [job, chunk] = args;
      invariants.merging(job.id, chunk.index);
      await assemblies.merge(job, chunk);
      invariants.merged(job.id, chunk.index + 1);
    },
    rebuild: async (...args: Parameters<Assemblies['rebuild']>) => {
      const [job, watermark] = args;
      invariants.merged(job.id, 0);
      const damage = await assemblies.rebuild(job, watermark);
      invariants.merged(job.id, damage?.chunk.index ?? watermark);
      return damage;
    },
    finalize: async (...args: Parameters<Assemblies['finalize']>) => {
      invariants.finalizing(args[0].id);
      return await assemblies.finalize(...args);
    },
  };
  return new Proxy(assemblies, {
    get: (target, name: string) => {
      const member = overridden[name] ?? Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => (member as (...a: unknown[]) => unknown).apply(target, args);
    },
  });
}
