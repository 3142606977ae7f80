import { invariant } from '../../pipeline/errors.ts';
import type { TaskMessage, Verdict } from '../../pipeline/protocol/index.ts';

/** A task in the queue, with how often it was delivered. */
export interface QueuedTask {
  readonly task: TaskMessage;
  readonly deliveries: number;
}

export interface LocalDelivery {
  readonly consumer: string;
  readonly deliveryId: number;
  readonly task: TaskMessage;
  readonly redelivered: boolean;
}

/** What became of a task that came back: it is to be queued again, or it is dead. */
export type Returned =
  | { readonly kind: 'again'; readonly queued: QueuedTask }
  | { readonly kind: 'dead'; readonly task: TaskMessage; readonly reason: string };

interface Consumer {
  readonly prefetch: number;
  readonly held: Map<number, QueuedTask>;
}

/**
 * The state of the embedded queue: tasks in order of arrival, and who holds which. No I/O and no
 * clock; its owner performs the deliveries. How many tasks there are is bounded by who publishes.
 */
export class LocalTaskQueue {
  readonly #deliveryLimit: number;
  readonly #consumers = new Map<string, Consumer>();
  #ready: QueuedTask[] = [];
  #deliveryCount = 0;

  constructor(deliveryLimit: number) {
    this.#deliveryLimit = deliveryLimit;
  }

  /** Tasks that no consumer has room for. */
  get waiting(): number {
    return this.#ready.length;
  }

  get consumers(): number {
    return this.#consumers.size;
  }

  publish(task: TaskMessage): void {
    this.#ready.push({ task, deliveries: 0 });
  }

  /** Forgets the tasks of a job up to this round that nobody holds. */
  revoke(jobId: string, round: number): void {
    this.#ready = this.#ready.filter(({ task }) => task.jobId !== jobId || task.round > round);
  }

  /** Queues a returned task: behind the others, so that it does not stand in their way. */
  putBack(queued: QueuedTask): void {
    this.#ready.push(queued);
  }

  attach(consumer: string, prefetch: number): void {
    invariant(!this.#consumers.has(consumer), `consumer ${consumer} is attached already`);
    this.#consumers.set(consumer, { prefetch, held: new Map() });
  }

  /** No more tasks for this consumer; it keeps those it holds. */
  pause(consumer: string): void {
    const held = this.#consumers.get(consumer)?.held;
    if (held !== undefined) this.#consumers.set(consumer, { prefetch: 0, held });
  }

  /** The consumer is gone: what it held comes back. */
  detach(consumer: string): Returned[] {
    const held = this.#consumers.get(consumer)?.held ?? new Map<number, QueuedTask>();
    this.#consumers.delete(consumer);
    return [...held.values()].map((queued) => this.#returned(queued));
  }

  /** Null when the task is done, or when the consumer did not hold such a delivery. */
  settle(consumer: string, deliveryId: number, verdict: Verdict): Returned | null {
    const held = this.#consumers.get(consumer)?.held;
    const queued = held?.get(deliveryId);
    if (held === undefined || queued === undefined) return null;
    held.delete(deliveryId);
    if (verdict === 'ack') return null;
    if (verdict === 'drop') return { kind: 'dead', task: queued.task, reason: 'rejected' };
    return this.#returned(queued);
  }

  /** The next task for the consumer with most room, or null: no task, or no room. */
  next(): LocalDelivery | null {
    if (this.#ready.length === 0) return null;
    let best: [string, Consumer] | null = null;
    for (const entry of this.#consumers) {
      if (room(entry[1]) > (best === null ? 0 : room(best[1]))) best = entry;
    }
    if (best === null) return null;
    const queued = this.#ready.shift();
    invariant(queued !== undefined, 'a ready task');
    const deliveryId = this.#deliveryCount++;
    const [consumer, { held }] = best;
    held.set(deliveryId, { task: queued.task, deliveries: queued.deliveries + 1 });
    return { consumer, deliveryId, task: queued.task, redelivered: queued.deliveries > 0 };
  }

  #returned(queued: QueuedTask): Returned {
    if (queued.deliveries < this.#deliveryLimit) return { kind: 'again', queued };
    return { kind: 'dead', task: queued.task, reason: 'delivery-limit' };
  }
}

function room(consumer: Consumer): number {
  return consumer.prefetch - consumer.held.size;
}
