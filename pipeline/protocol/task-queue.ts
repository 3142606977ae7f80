import type { Announcement, TaskMessage } from './messages.ts';

/**
 * The queue between master and workers, in two halves: `TaskProducer` in the master, `TaskConsumer`
 * in a worker. Guarantees of every adapter: at-least-once both ways, order not promised, a task
 * unacknowledged when its consumer dies is delivered again, a task delivered more than
 * `deliveryLimit` times is dead-lettered to the producer. Both halves close by draining.
 */
export interface TaskProducer {
  /** Resolves when the broker has confirmed the message as stored. */
  publish(task: TaskMessage): Promise<void>;
  /**
   * Tells that no task of the job up to this round is wanted any more, be it queued, held by a worker
   * or being computed. Best effort: a worker that does not hear of it computes what nobody waits for.
   */
  revoke(jobId: string, round: number): void;
  /** Starts delivery of announcements; acknowledged when the handler resolves, redelivered when it
   *  rejects. One handler at a time; called in no order. */
  onAnnouncement(handler: (announcement: Announcement) => Promise<void>): Promise<void>;
  /** Tasks that exceeded the delivery limit. Acknowledged when the handler resolves. */
  onDeadLetter(handler: (task: TaskMessage, reason: string) => Promise<void>): Promise<void>;
  /** Called each time the connection came (back) up: the master publishes what is unanswered again. */
  onConnected(listener: () => void): void;
  /** What `GET /readyz` and the dashboard show. */
  status(): QueueStatus;
  close(): Promise<void>;
}

export interface QueueStatus {
  readonly kind: 'in-process' | 'rabbitmq';
  readonly connected: boolean;
  /** Address without credentials; '' for in-process. */
  readonly address: string;
  readonly error: string | null;
}

/** 'ack' removes the task, 'requeue' gives it to someone else, 'drop' dead-letters it. */
export type Verdict = 'ack' | 'requeue' | 'drop';

export interface Delivery {
  readonly task: TaskMessage;
  readonly redelivered: boolean;
  /** Fires when the delivery is void: its job was revoked, or the connection is lost. */
  readonly signal: AbortSignal;
}

export interface TaskConsumer {
  /** Up to `prefetch` handlers run at once. A handler that rejects counts as 'requeue'. */
  consume(handler: (delivery: Delivery) => Promise<Verdict>, prefetch: number): Promise<void>;
  /** Resolves when the broker has confirmed the announcement as stored. */
  announce(announcement: Announcement): Promise<void>;
  status(): QueueStatus;
  /** Stops taking tasks and waits for the running handlers; `announce` still works after it. */
  drain(): Promise<void>;
  /** Drains, then disconnects. */
  close(): Promise<void>;
}
