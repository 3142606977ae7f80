import type { Logger } from 'pino';
import { SluiceError, errorDocument } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { ChildMessage } from '../../pipeline/protocol/ipc-messages.ts';
import { checkChildMessage } from '../../pipeline/protocol/parse-message.ts';
import type {
  Announcement,
  QueueStatus,
  TaskMessage,
  TaskProducer,
} from '../../pipeline/protocol/index.ts';
import { ChildPool, type PoolChild } from './child-pool.ts';
import { HandlerLane } from './handler-lane.ts';
import { logPoolEvents } from './log-pool-events.ts';
import { LocalTaskQueue, type QueuedTask, type Returned } from './local-task-queue.ts';
import { type WorkerLaunch, workerLaunch } from './worker-launch.ts';

/** A task that a worker gave back waits this long: no hot loop. */
const REQUEUE_DELAY_MS = 250;
const DRAIN_WITHIN_MS = 30_000;
/** What a worker costs, in processor time, before it is as fast as those that run. */
const WORTH_A_WORKER_MS = 400;

export interface InProcessProducerOptions extends WorkerLaunch {
  readonly deliveryLimit?: number;
  /** How long `close` lets the children finish before it kills them. */
  readonly drainWithinMs?: number;
}

interface DeadLetter {
  readonly task: TaskMessage;
  readonly reason: string;
}

/**
 * The embedded queue: this process holds the tasks, its children work on them. A published task is
 * stored as long as this process lives; after a restart the master publishes again what is
 * unanswered. A child's announcement is confirmed to it when the master's handler has resolved.
 *
 * | state   | enters by      | tasks are delivered | children are replaced |
 * | ------- | -------------- | ------------------- | --------------------- |
 * | idle    | construction   | no                  | -                     |
 * | running | `startWorkers` | yes                 | yes                   |
 * | closing | `close`        | no                  | no                    |
 */
export class InProcessProducer implements TaskProducer {
  readonly #queue: LocalTaskQueue;
  readonly #log: Logger;
  readonly #pool: ChildPool;
  readonly #drainWithinMs: number;
  readonly #announcements: HandlerLane<Announcement>;
  readonly #deadLetters: HandlerLane<DeadLetter>;
  readonly #returning = new Set<NodeJS.Timeout>();
  readonly #upListeners: (() => void)[] = [];
  readonly #children = new Map<string, PoolChild>();
  /** Workers that ended and have not come back, with the reason. */
  readonly #ended = new Map<string, string>();
  #workersMax = 0;
  /** Since when tasks wait without a pause, while all workers are there. */
  #waitingSinceMs: number | null = null;
  #closing = false;

  constructor(options: InProcessProducerOptions) {
    this.#log = options.log;
    this.#queue = new LocalTaskQueue(options.deliveryLimit ?? LIMITS.deliveryLimit);
    this.#drainWithinMs = options.drainWithinMs ?? DRAIN_WITHIN_MS;
    const failed = (err: unknown): void => this.#log.error({ err }, 'message handler failed');
    this.#announcements = new HandlerLane(failed);
    this.#deadLetters = new HandlerLane(failed);
    const events = logPoolEvents(options.log);
    this.#pool = new ChildPool(workerLaunch(options, null), {
      onStarted: (child) => {
        events.started(child);
        this.#children.set(child.id, child);
      },
      onMessage: (child, message) => this.#receive(child, message),
      onEnded: (child, reason, restartMs) => {
        events.ended(child, reason, restartMs);
        this.#childEnded(child, reason, restartMs);
      },
    });
  }

  /** Starts `count` child processes and keeps their number: those beyond `atOnce` when tasks wait for them. */
  startWorkers(count: number, atOnce: number = count): void {
    this.#workersMax = count;
    this.#pool.start(Math.min(count, atOnce));
    for (const listener of this.#upListeners) listener();
  }

  /** Starts those that would come when tasks wait for them. */
  startAllWorkers(): void {
    this.#pool.start(Math.max(0, this.#workersMax - this.#pool.count));
  }

  /** Process ids of the workers, by name. */
  workerPids(): ReadonlyMap<string, number> {
    return new Map([...this.#children.values()].map(({ name, pid }) => [name, pid]));
  }

  async publish(task: TaskMessage): Promise<void> {
    if (this.#closing) throw new SluiceError('closing', 'the queue is closed');
    this.#queue.publish(task);
    this.#deliver();
  }

  revoke(jobId: string, round: number): void {
    this.#queue.revoke(jobId, round);
    for (const child of this.#children.values())
      child.send({ kind: 'revoke', revocation: { jobId, round } });
  }

  async onAnnouncement(handler: (announcement: Announcement) => Promise<void>): Promise<void> {
    this.#announcements.setHandler(handler);
  }

  async onDeadLetter(handler: (task: TaskMessage, reason: string) => Promise<void>): Promise<void> {
    this.#deadLetters.setHandler(({ task, reason }) => handler(task, reason));
  }

  onConnected(listener: () => void): void {
    this.#upListeners.push(listener);
  }

  status(): QueueStatus {
    const ended = [...this.#ended].map(([worker, reason]) => `${worker} ended (${reason})`);
    return {
      kind: 'in-process',
      connected: !this.#closing,
      address: '',
      error: ended.length === 0 ? null : `${ended.join(', ')}; being started again`,
    };
  }

  /** Lets the children finish what they compute, and takes what they announce. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    for (const timer of this.#returning) clearTimeout(timer);
    // Of a master that could not start: its children wait for an answer to what they announce.
    if (!this.#announcements.hasHandler) await this.#announcements.close();
    await this.#pool.stop(this.#drainWithinMs);
    await Promise.all([this.#announcements.close(), this.#deadLetters.close()]);
  }

  #receive(child: PoolChild, message: unknown): void {
    const checked = checkChildMessage(message);
    if (checked.ok) this.#take(child, checked.value);
    else {
      const { reason } = checked;
      this.#log.error({ worker: child.name, reason }, 'malformed message dropped');
    }
  }

  #take(child: PoolChild, message: ChildMessage): void {
    switch (message.kind) {
      case 'consume':
        this.#ended.delete(child.name);
        this.#queue.attach(child.id, message.prefetch);
        this.#deliver();
        return;
      case 'stop-consuming':
        this.#queue.pause(child.id);
        child.send({ kind: 'no-more-tasks' });
        return;
      case 'verdict': {
        const returned = this.#queue.settle(child.id, message.deliveryId, message.verdict);
        if (returned !== null) this.#takeBack(returned, REQUEUE_DELAY_MS);
        this.#deliver();
        return;
      }
      case 'announce':
        void this.#announced(child, message.requestId, message.announcement);
        return;
    }
  }

  async #announced(child: PoolChild, requestId: number, announcement: Announcement): Promise<void> {
    const retry = announcement.kind !== 'worker';
    const outcome = await this.#announcements.submit(announcement, { retry });
    if (outcome === 'handled') child.send({ kind: 'announced', requestId });
    else {
      const error = errorDocument(new SluiceError('closing', 'the master did not take it'));
      child.send({ kind: 'not-announced', requestId, error });
    }
  }

  #childEnded(child: PoolChild, reason: string, restartMs: number | null): void {
    this.#children.delete(child.id);
    if (restartMs !== null) this.#ended.set(child.name, reason);
    // Nobody holds these any more: no reason to wait.
    for (const returned of this.#queue.detach(child.id)) this.#takeBack(returned, 0);
    this.#deliver();
  }

  #takeBack(returned: Returned, delayMs: number): void {
    if (returned.kind === 'dead') {
      const { task, reason } = returned;
      void this.#deadLetters.submit({ task, reason }, { retry: true });
    } else if (delayMs === 0) this.#queue.putBack(returned.queued);
    else this.#putBackLater(returned.queued, delayMs);
  }

  #putBackLater(queued: QueuedTask, delayMs: number): void {
    if (this.#closing) return;
    const timer = setTimeout(() => {
      this.#returning.delete(timer);
      this.#queue.putBack(queued);
      this.#deliver();
    }, delayMs);
    this.#returning.add(timer);
  }

  #deliver(): void {
    if (this.#closing) return;
    for (let next = this.#queue.next(); next !== null; next = this.#queue.next()) {
      const { consumer, deliveryId, redelivered, task } = next;
      this.#children.get(consumer)?.send({ kind: 'task', deliveryId, redelivered, task });
    }
    this.#startMore();
  }

  /** Doubles the workers while tasks have waited for all that are there. */
  #startMore(): void {
    const { count } = this.#pool;
    if (this.#queue.waiting === 0 || this.#queue.consumers < count) {
      this.#waitingSinceMs = null;
      return;
    }
    const nowMs = performance.now();
    this.#waitingSinceMs ??= nowMs;
    if (count >= this.#workersMax || nowMs - this.#waitingSinceMs < WORTH_A_WORKER_MS) return;
    this.#waitingSinceMs = null;
    this.#pool.start(Math.min(count, this.#workersMax - count));
  }
}
