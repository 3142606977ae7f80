import { expect } from 'vitest';
import type { Job } from '../../pipeline/protocol/index.ts';
import { eventually, getJson, workersOf, type Address } from './jobs.ts';

/** Worker processes that stand still, wherever in their work they were. */
export interface Frozen {
  readonly pids: readonly number[];
  /**
   * Waits until chunks are out to the frozen workers, SIGKILLs the first, and lets the others go
   * on. What it held is lost with it, whatever the machine's pace.
   */
  killOne(jobId: string): Promise<number>;
  /** SIGCONT to all. */
  thaw(): void;
}

/** SIGSTOPs `count` live workers, once there are as many. */
export async function freezeWorkers(server: Address, count: number): Promise<Frozen> {
  const pids = await eventually(async () => {
    const live = (await workersOf(server)).filter(
      ({ state, pid }) => (state === 'idle' || state === 'working') && isAlive(pid),
    );
    expect(live.length).toBe(count);
    return live.map(({ pid }) => pid);
  });
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return {
    pids,
    killOne: async (jobId) => {
      // Each worker takes two chunks at the most: so many that every one of them holds some.
      await eventually(async () => {
        const job = await getJson<Job>(server, `/api/jobs/${jobId}`);
        expect(job.chunks.running).toBeGreaterThanOrEqual(2 * count - 1);
      });
      const [victim = 0, ...others] = pids;
      process.kill(victim, 'SIGKILL');
      for (const pid of others) process.kill(pid, 'SIGCONT');
      return victim;
    },
    thaw: () => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
