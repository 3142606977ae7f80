import { isFinal } from '../../master/coordination/job-state.ts';
import { toSluiceError } from '../../pipeline/errors.ts';
import type { FaultKind } from './faults.ts';
import { lacksInput, told } from './sim-job.ts';
import type { Command, SimJob } from './sim-job.ts';
import type { World } from './world.ts';

/** Lets things go wrong, and people intervene, until `endMs`. */
export function startChaos(world: World, endMs: number, operations: boolean): void {
  const { random, scheduler, faults } = world;
  const again = (meanMs: number, label: string, action: () => void): void => {
    const delayMs = 1 + random.next() * 2 * meanMs;
    if (scheduler.nowMs + delayMs >= endMs) return;
    scheduler.after(delayMs, label, () => {
      action();
      again(meanMs, label, action);
    });
  };
  if (faults.kinds.length > 0) {
    again(faults.everyMs, 'fault', () => strike(world, random.pick(faults.kinds)));
  }
  if (operations) again(random.between(50, 800), 'operation', () => operate(world));
  scheduler.after(endMs, 'everything works again', () => heal(world));
}

function strike(world: World, kind: FaultKind): void {
  const { random, scheduler, broker, disk } = world;
  const at = random.below(world.workers.length);
  scheduler.note(`fault: ${kind}`);
  switch (kind) {
    case 'crash master':
      world.master?.process.kill(kind);
      return;
    case 'lose power':
      world.losePower(true);
      return;
    case 'lose power of master':
      world.losePower(false);
      return;
    case 'crash worker':
      world.workers[at]?.process.kill(kind);
      return;
    case 'stop worker':
      world.stopWorker(at);
      return;
    case 'stale worker':
      world.staleWorkers.add(at);
      world.workers[at]?.process.kill(kind);
      return;
    case 'slow worker': {
      const process = world.workers[at]?.process;
      if (process === undefined) return;
      process.slowness = random.between(5, 200);
      scheduler.after(random.between(50, 500), `${process.name} is fast again`, () => {
        process.slowness = 1;
      });
      return;
    }
    case 'cut connection':
      scheduler.note(`cut: ${broker.cutOne() ?? 'none'}`);
      return;
    case 'cut store': {
      const process = world.workers[at]?.process;
      // Those of an embedded queue have it on their own machine.
      if (process === undefined || broker.mode === 'in-process') return;
      process.isCutFromStore = true;
      scheduler.after(random.between(50, 1_500), `${process.name} sees the store again`, () => {
        process.isCutFromStore = false;
      });
      return;
    }
    case 'restart broker':
      broker.restart(random.between(1, 500), false);
      return;
    case 'wipe broker':
      broker.restart(random.between(1, 500), true);
      return;
    case 'block broker':
      broker.isBlocked = true;
      scheduler.after(random.pick([100, 700, 1_500]), 'broker takes messages', () => {
        broker.isBlocked = false;
      });
      return;
    case 'duplicate message':
      broker.duplicateOne();
      return;
    case 'full disk':
      disk.isFull = true;
      scheduler.after(random.between(10, 1_500), 'disk has room', () => {
        disk.isFull = false;
      });
      return;
    case 'corrupt result':
      scheduler.note(`corrupt: ${disk.corruptResult() ?? 'none'}`);
      return;
    case 'lose result':
      scheduler.note(`lose: ${disk.loseResult() ?? 'none'}`);
      return;
    case 'lose document':
      scheduler.note(`lose: ${disk.loseDocument() ?? 'none'}`);
      return;
    case 'damage input':
      scheduler.note(`damage: ${disk.damageInput() ?? 'none'}`);
      return;
    case 'jump clock':
      world.setClock(world.clockSkewMs + random.between(-3_600_000, 3_600_000));
      return;
    case 'lose client': {
      const uploading = world.jobs.filter((job) => job.isUploading);
      if (uploading.length > 0) random.pick(uploading).isAbandoned = true;
      return;
    }
  }
}

const OPERATIONS = [
  ...['pause', 'pause', 'resume', 'resume', 'retry', 'retry', 'cancel', 'delete', 'delete'],
  ...['send again', 'send again'],
] as const;

/** What people do to jobs. */
function operate(world: World): void {
  const { random, master, scheduler } = world;
  if (master === null || !master.process.alive || world.jobs.length === 0) return;
  const job = random.pick(world.jobs);
  const kind = random.pick(OPERATIONS);
  scheduler.note(`operation: ${kind} ${job.name}`);
  const state = world.stateOf(job);
  if (state === undefined) return;
  if (kind === 'delete' && (!isFinal(state) || job.isUploading)) return;
  if (kind === 'cancel' && random.chance(0.5)) return;
  if (kind === 'send again') {
    // To repair the job, mostly; some retry it before the input is there.
    const isDamaged = lacksInput(world.store, job.id);
    if (isDamaged || random.chance(0.1)) world.sendAgain(job);
    if (!isDamaged || random.chance(0.5)) return;
  }
  command(world, job, kind === 'send again' ? 'retry' : kind);
}

/** Asks the service; what it has answered is to stay so. */
function command(world: World, job: SimJob, kind: Command['kind']): void {
  const { master, scheduler } = world;
  if (master === null) return;
  const { id } = job;
  const asked: Command = { kind, round: null };
  job.command = asked;
  if (kind === 'cancel' || kind === 'delete') job.isUnwanted = true;
  master.service[kind](id).then(
    () => {
      asked.round = world.stateOf({ id })?.round ?? null;
      if (kind === 'cancel') told(world, id, 'cancelled');
      if (kind === 'delete') told(world, id, 'deleted');
    },
    (thrown: unknown) => {
      const { message } = toSluiceError(thrown);
      scheduler.note(`${job.name} cannot be told to ${kind}: ${message}`);
    },
  );
}

function heal(world: World): void {
  const { disk, broker, faults, scheduler } = world;
  Object.assign(faults, { disk: 0, commitFailure: 0, crashAtCommit: 0, cutUpload: 0 });
  Object.assign(faults, { keepJobs: null, keepForMs: null });
  // An upload that nobody goes on with is given up by this clock.
  world.setClock(world.clockSkewMaxMs);
  disk.faultRate = 0;
  disk.isFull = false;
  broker.isBlocked = false;
  world.isHealed = true;
  for (const worker of world.workers) {
    if (worker !== null) Object.assign(worker.process, { slowness: 1, isCutFromStore: false });
  }
  const resume = (): void => {
    const { master } = world;
    for (const job of world.jobs) {
      if (master?.process.alive !== true) break;
      const state = world.stateOf(job);
      if (state?.status === 'paused') command(world, job, 'resume');
    }
    scheduler.after(300, 'paused jobs are resumed', resume);
  };
  resume();
}
