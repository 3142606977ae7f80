import type { Logger } from 'pino';
import {
  AmqpConnection,
  type AmqpConnectionOptions,
  type BrokerEvent,
} from '../../broker/amqp-connection.ts';
import { logBrokerEvents } from '../../broker/log-events.ts';
import type { AmqpDelivery } from '../../broker/amqp-delivery.ts';
import {
  type BrokerTopology,
  DEFAULT_BROKER_PREFIX,
  brokerTopology,
} from '../../pipeline/protocol/broker-topology.ts';
import {
  type Parsed,
  parseAnnouncement,
  parseTask,
} from '../../pipeline/protocol/parse-message.ts';
import type {
  Announcement,
  QueueStatus,
  TaskMessage,
  TaskProducer,
} from '../../pipeline/protocol/index.ts';
import { HandlerLane } from './handler-lane.ts';

/** Announcements the master holds at once: enough that a commit does not wait for the network. */
const ANNOUNCEMENTS_PREFETCH = 64;
const DEAD_LETTERS_PREFETCH = 8;

export interface AmqpProducerOptions {
  readonly url: string;
  /** Sets deployments that share a virtual host apart. */
  readonly prefix?: string;
  readonly deliveryLimit?: number;
  readonly log: Logger;
  readonly openTimeoutMs?: number;
  readonly publishTimeoutMs?: number;
  readonly confirmWithinMs?: number;
}

interface DeadLetter {
  readonly task: TaskMessage;
  readonly reason: string;
}

/**
 * The master's half of the queue through RabbitMQ. A message is acknowledged when its handler
 * resolved; when it rejects, it is tried again here, and by the broker when this process ends.
 * A publish that meets a lost connection waits for its return, up to `publishTimeoutMs`.
 */
export class AmqpProducer implements TaskProducer {
  readonly #connection: AmqpConnection;
  readonly #topology: BrokerTopology;
  readonly #onEvent: (event: BrokerEvent) => void;
  readonly #announcements: HandlerLane<Announcement>;
  readonly #deadLetters: HandlerLane<DeadLetter>;

  private constructor(
    connection: AmqpConnection,
    topology: BrokerTopology,
    onEvent: (event: BrokerEvent) => void,
  ) {
    this.#connection = connection;
    this.#topology = topology;
    this.#onEvent = onEvent;
    const failed = (queue: string) => (error: unknown) =>
      onEvent({ kind: 'handler-failed', queue, error });
    this.#announcements = new HandlerLane(failed(topology.results.name));
    this.#deadLetters = new HandlerLane(failed(topology.dead.name));
  }

  /** Resolves when connected. Errors: `broker-unavailable`, `usage` (the URL is none). */
  static async connect(options: AmqpProducerOptions): Promise<AmqpProducer> {
    const { prefix = DEFAULT_BROKER_PREFIX, deliveryLimit, log, ...rest } = options;
    const onEvent = logBrokerEvents(log);
    const topology = brokerTopology(prefix, deliveryLimit);
    const connecting: AmqpConnectionOptions = { ...rest, topology, onEvent, name: 'sluice master' };
    return new AmqpProducer(await AmqpConnection.open(connecting), topology, onEvent);
  }

  async publish(task: TaskMessage): Promise<void> {
    await this.#connection.publish({
      queue: this.#topology.tasks.name,
      messageId: task.taskKey,
      content: Buffer.from(JSON.stringify(task)),
      persistent: true,
    });
  }

  revoke(jobId: string, round: number): void {
    this.#connection.revoke({ jobId, round });
  }

  async onAnnouncement(handler: (announcement: Announcement) => Promise<void>): Promise<void> {
    this.#announcements.setHandler(handler);
    await this.#connection.consume({
      queue: this.#topology.results.name,
      prefetch: ANNOUNCEMENTS_PREFETCH,
      onDelivery: (delivery) => void this.#takeAnnouncement(delivery, true),
    });
    await this.#connection.consume({
      queue: this.#topology.workers.name,
      prefetch: ANNOUNCEMENTS_PREFETCH,
      onDelivery: (delivery) => void this.#takeAnnouncement(delivery, false),
    });
  }

  async onDeadLetter(handler: (task: TaskMessage, reason: string) => Promise<void>): Promise<void> {
    this.#deadLetters.setHandler(({ task, reason }) => handler(task, reason));
    await this.#connection.consume({
      queue: this.#topology.dead.name,
      prefetch: DEAD_LETTERS_PREFETCH,
      onDelivery: (delivery) => void this.#takeDeadLetter(delivery),
    });
  }

  onConnected(listener: () => void): void {
    this.#connection.onReconnected(listener);
  }

  status(): QueueStatus {
    return this.#connection.status();
  }

  async close(): Promise<void> {
    await Promise.all([this.#announcements.close(), this.#deadLetters.close()]);
    await this.#connection.close();
  }

  async #takeAnnouncement(delivery: AmqpDelivery, retry: boolean): Promise<void> {
    const queue = retry ? this.#topology.results.name : this.#topology.workers.name;
    const announcement = this.#valueOf(parseAnnouncement(delivery.content), queue, delivery);
    if (announcement === null) return;
    const isVoid = (): boolean => delivery.signal.aborted;
    const outcome = await this.#announcements.submit(announcement, { retry, isVoid });
    // What is given up at close goes back with the channel, and a heartbeat is worth no second try.
    if (outcome === 'handled' || !retry) delivery.ack();
  }

  async #takeDeadLetter(delivery: AmqpDelivery): Promise<void> {
    const task = this.#valueOf(parseTask(delivery.content), this.#topology.dead.name, delivery);
    if (task === null) return;
    const reason = delivery.deadReason === 'delivery_limit' ? 'delivery-limit' : 'rejected';
    const isVoid = (): boolean => delivery.signal.aborted;
    const outcome = await this.#deadLetters.submit({ task, reason }, { retry: true, isVoid });
    if (outcome === 'handled') delivery.ack();
  }

  /** The message, or null: what is none is reported and removed, since nobody could ever read it. */
  #valueOf<T>(parsed: Parsed<T>, queue: string, delivery: AmqpDelivery): T | null {
    if (parsed.ok) return parsed.value;
    this.#onEvent({ kind: 'malformed-message', queue, reason: parsed.reason });
    delivery.ack();
    return null;
  }
}
