import { GarbageCollector } from '../../master/housekeeping/garbage-collector.ts';
import { Housekeeper } from '../../master/housekeeping/housekeeper.ts';
import type { HousekeeperDeps } from '../../master/housekeeping/housekeeper.ts';
import type { FinishedJob } from '../../master/housekeeping/retention.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import { Violation } from './invariants.ts';
import { told } from './sim-job.ts';
import type { SimMaster } from './sim-master.ts';
import type { World } from './world.ts';

/** Longer than any upload of the simulation needs from storing a chunk to its row. */
const GRACE_MS = 500;

/** Removes old jobs and blobs that no job needs, in some worlds, whatever else happens. */
export function keepHouse(world: World, master: SimMaster): void {
  const { scheduler, wrappers, random, faults, log } = world;
  const { process, store, blobs, service } = master;
  const deps = { store, blobs, now: () => scheduler.nowMs, graceMs: GRACE_MS };
  let decidedMs = 0;
  const housekeeping: HousekeeperDeps = {
    collector: new GarbageCollector(wrappers.garbage?.(deps) ?? deps),
    retention: {
      get forMs() {
        return faults.keepForMs;
      },
      get jobs() {
        return faults.keepJobs;
      },
    },
    ...{ store, log, everyMs: faults.sweepEveryMs, graceMs: GRACE_MS },
    now: () => {
      decidedMs = scheduler.nowMs;
      return world.clockMs();
    },
    steadyNow: () => scheduler.nowMs,
  };
  const housekeeper = new Housekeeper(wrappers.housekeeper?.(housekeeping) ?? housekeeping);
  const expire = async (job: FinishedJob): Promise<boolean> => {
    checkExpired(world, job, decidedMs);
    const isDeleted = await service.expire(job);
    if (isDeleted) told(world, job.id, 'deleted');
    return isDeleted;
  };
  const round = (): void => {
    process.after(random.next() * 2 * faults.sweepEveryMs, 'keeps house', () => {
      void housekeeper.round(expire).then(round);
    });
  };
  if (faults.sweepEveryMs > 0) round();
}

/** A clock that was set is not believed at once. */
function checkExpired(world: World, job: FinishedJob, decidedMs: number): void {
  const { clockSetAtMs, faults, invariants } = world;
  const { keepJobs, keepForMs } = faults;
  if (keepJobs !== null || keepForMs === null) return;
  const message = `${job.id} is deleted by a clock that was just set`;
  const isJustSet = (ms: number) => ms <= decidedMs && decidedMs - ms < GRACE_MS;
  if (clockSetAtMs.some(isJustSet)) invariants.violation ??= new Violation(message);
}

/** Holds each deletion against the rows, when it is done. */
export function watchedDeletes(world: World, blobs: CollectableBlobStore): CollectableBlobStore {
  const remove = async (name: string): Promise<void> => {
    await blobs.delete(name);
    if (!world.disk.objects.has(name)) world.checkRemoved(name);
  };
  return new Proxy(blobs, {
    get: (target, name) => {
      if (name === 'delete') return remove;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member as () => unknown).bind(target) : member;
    },
  });
}
