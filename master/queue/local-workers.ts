import type { Logger } from 'pino';
import { ChildPool } from './child-pool.ts';
import { logPoolEvents } from './log-pool-events.ts';
import { type WorkerLaunch, workerLaunch } from './worker-launch.ts';

const DRAIN_WITHIN_MS = 30_000;

export interface LocalWorkersOptions extends WorkerLaunch {
  readonly broker: { readonly url: string; readonly prefix: string };
  readonly log: Logger;
}

/** Worker processes beside the master that take their tasks from a broker, as others do. */
export class LocalWorkers {
  readonly #pool: ChildPool;

  constructor(options: LocalWorkersOptions) {
    const events = logPoolEvents(options.log);
    this.#pool = new ChildPool(workerLaunch(options, options.broker), {
      onStarted: events.started,
      onEnded: events.ended,
      // They talk to the broker alone.
      onMessage: () => {},
    });
  }

  /** Starts `count` processes and keeps their number. */
  start(count: number): void {
    this.#pool.start(count);
  }

  /** Lets them finish what they compute. */
  async close(): Promise<void> {
    await this.#pool.stop(DRAIN_WITHIN_MS);
  }
}
