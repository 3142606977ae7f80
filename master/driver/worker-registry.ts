import { LIMITS } from '../../pipeline/limits.ts';
import type { WorkerInfo, WorkerStatus } from '../../pipeline/protocol/index.ts';

/** Workers that were shown at most; the longest silent ones are forgotten first. */
const WORKERS_MAX = 4096;
/** A worker that said goodbye stays visible this long. */
const STOPPED_VISIBLE_MS = 60_000;
/** A worker that went silent stays visible this long, so that somebody can notice. */
const LOST_VISIBLE_MS = 10 * 60_000;

interface Seen {
  readonly status: WorkerStatus;
  readonly seenMs: number;
}

/** Who works: built from heartbeats alone, so that a worker needs no registration. */
export class WorkerRegistry {
  readonly #workers = new Map<string, Seen>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  heartbeat(status: WorkerStatus): void {
    this.#workers.delete(status.worker);
    this.#workers.set(status.worker, { status, seenMs: this.#now() });
    if (this.#workers.size > WORKERS_MAX) {
      const [oldest] = this.#workers.keys();
      if (oldest !== undefined) this.#workers.delete(oldest);
    }
  }

  /** Workers that take tasks now. */
  liveCount(): number {
    return this.list().filter((worker) => worker.state === 'idle' || worker.state === 'working')
      .length;
  }

  /** By name. Those that stopped or were lost long ago are left out. */
  list(): WorkerInfo[] {
    const nowMs = this.#now();
    const shown: WorkerInfo[] = [];
    for (const [name, { status, seenMs }] of this.#workers) {
      const silentMs = nowMs - seenMs;
      const stopped = status.state === 'stopped';
      if (silentMs > (stopped ? STOPPED_VISIBLE_MS : LOST_VISIBLE_MS)) {
        this.#workers.delete(name);
        continue;
      }
      shown.push({
        name,
        host: status.host,
        pid: status.pid,
        state: !stopped && silentMs > LIMITS.workerSilentMs ? 'lost' : status.state,
        startedAt: status.startedAt,
        lastSeenAt: new Date(seenMs).toISOString(),
        tasksDone: status.tasksDone,
        tasksReused: status.tasksReused,
        tasksFailed: status.tasksFailed,
        bytesDone: status.bytesDone,
        recordsDone: status.recordsDone,
        busyMs: status.busyMs,
        residentBytes: status.residentBytes,
        currentTask: status.currentTask,
      });
    }
    return shown.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
