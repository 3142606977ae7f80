import { isFinal } from '../../master/coordination/job-state.ts';
import { GarbageCollector } from '../../master/housekeeping/garbage-collector.ts';
import { Housekeeper } from '../../master/housekeeping/housekeeper.ts';
import { removeJobBlobs } from '../../master/storage/job-blobs.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import type { SimMaster } from './sim-master.ts';
import type { World } from './world.ts';

/** Longer than any upload of the simulation needs from storing a chunk to its row. */
const GRACE_MS = 500;

/** Removes old jobs and blobs that no job needs, in some worlds, whatever else happens. */
export function keepHouse(world: World, master: SimMaster): void {
  const { scheduler, wrappers, random, faults, log } = world;
  const { process, store, blobs } = master;
  const deps = { store, blobs, now: () => scheduler.nowMs, graceMs: GRACE_MS };
  const housekeeper = new Housekeeper({
    collector: new GarbageCollector(wrappers.garbage?.(deps) ?? deps),
    retention: {
      forMs: null,
      get jobs() {
        return faults.keepJobs;
      },
    },
    ...{ store, log, now: () => world.clockMs(), everyMs: faults.sweepEveryMs },
  });
  const round = (): void => {
    process.after(random.next() * 2 * faults.sweepEveryMs, 'keeps house', () => {
      void housekeeper.round((jobId) => removeJob(world, master, jobId)).then(round);
    });
  };
  if (faults.sweepEveryMs > 0) round();
}

/** As `LocalMasterService.delete`. */
export async function removeJob(world: World, master: SimMaster, jobId: string): Promise<void> {
  const { coordinator, assemblies, store } = master;
  const state = store.job(jobId)?.state;
  if (state === undefined) return;
  if (!isFinal(state)) coordinator.apply(jobId, { kind: 'cancel' });
  await coordinator.ended(jobId);
  const blobs = watchedDeletes(world, master.blobs);
  const deleted = master.deletion.then(() =>
    removeJobBlobs({ store, blobs }, jobId, coordinator.activeCount() === 0),
  );
  master.deletion = deleted.catch(() => undefined);
  await deleted;
  assemblies.forget(jobId);
  world.jobs.find(({ id }) => id === jobId)?.told.add('deleted');
}

/** Holds each deletion against the rows, when it is done. */
function watchedDeletes(world: World, blobs: CollectableBlobStore): CollectableBlobStore {
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
