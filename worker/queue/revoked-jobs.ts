import { SluiceError } from '../../pipeline/errors.ts';
import type { Revocation, TaskMessage, Verdict } from '../../pipeline/protocol/index.ts';

/** Jobs that are remembered; their revoked tasks come within seconds or not at all. */
const JOBS_MAX = 1_024;

interface Held {
  readonly task: TaskMessage;
  readonly void: AbortController;
}

/**
 * Tasks that are wanted no more, by their jobs and rounds. One of them is removed from the queue: at
 * once when it comes later, and as soon as its handler gives it back when it is held.
 */
export class RevokedJobs {
  /** The last round that was revoked. */
  readonly #rounds = new Map<string, number>();
  readonly #held = new Set<Held>();

  revoke({ jobId, round }: Revocation): void {
    const last = Math.max(round, this.#rounds.get(jobId) ?? round);
    this.#rounds.delete(jobId);
    this.#rounds.set(jobId, last);
    const [oldest] = this.#rounds.keys();
    if (this.#rounds.size > JOBS_MAX && oldest !== undefined) this.#rounds.delete(oldest);
    const reason = new SluiceError('aborted', 'the job was cancelled, or is paused');
    for (const held of this.#held) if (this.#isRevoked(held.task)) held.void.abort(reason);
  }

  /** Runs the handler of a delivery; `lost` and a revocation make it void, each by its reason. */
  async handle(
    task: TaskMessage,
    lost: AbortSignal,
    handler: (signal: AbortSignal) => Promise<Verdict>,
  ): Promise<Verdict> {
    if (this.#isRevoked(task)) return 'ack';
    const held: Held = { task, void: new AbortController() };
    const onLost = (): void => {
      held.void.abort(new SluiceError('broker-unavailable', 'the connection is lost'));
    };
    if (lost.aborted) onLost();
    lost.addEventListener('abort', onLost, { once: true });
    this.#held.add(held);
    try {
      const verdict = await handler(held.void.signal);
      return verdict === 'requeue' && this.#isRevoked(task) ? 'ack' : verdict;
    } finally {
      this.#held.delete(held);
      lost.removeEventListener('abort', onLost);
    }
  }

  #isRevoked({ jobId, round }: TaskMessage): boolean {
    const revoked = this.#rounds.get(jobId);
    return revoked !== undefined && round <= revoked;
  }
}
