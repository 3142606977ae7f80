import type { Verdict } from '../../pipeline/protocol/index.ts';

/** Jobs that are remembered as revoked; their tasks come within seconds or not at all. */
const JOBS_MAX = 1_024;

interface Held {
  readonly jobId: string;
  readonly void: AbortController;
}

/**
 * Jobs whose tasks are wanted no more. A task of theirs is removed from the queue: at once when it
 * comes later, and as soon as its handler gives it back when it is held. What is being computed is
 * finished, as its result may serve another job.
 */
export class RevokedJobs {
  readonly #jobs = new Set<string>();
  readonly #held = new Set<Held>();

  revoke(jobId: string): void {
    this.#jobs.delete(jobId);
    this.#jobs.add(jobId);
    const [oldest] = this.#jobs;
    if (this.#jobs.size > JOBS_MAX && oldest !== undefined) this.#jobs.delete(oldest);
    for (const held of this.#held) if (held.jobId === jobId) held.void.abort();
  }

  /** Runs the handler of a delivery; `lost` and a revocation make it void. */
  async handle(
    jobId: string,
    lost: AbortSignal,
    handler: (signal: AbortSignal) => Promise<Verdict>,
  ): Promise<Verdict> {
    if (this.#jobs.has(jobId)) return 'ack';
    const held: Held = { jobId, void: new AbortController() };
    const onLost = (): void => held.void.abort();
    if (lost.aborted) onLost();
    lost.addEventListener('abort', onLost, { once: true });
    this.#held.add(held);
    try {
      const verdict = await handler(held.void.signal);
      return verdict === 'requeue' && this.#jobs.has(jobId) ? 'ack' : verdict;
    } finally {
      this.#held.delete(held);
      lost.removeEventListener('abort', onLost);
    }
  }
}
