import type { Logger } from 'pino';
import {
  AmqpConnection,
  type AmqpConnectionOptions,
  type BrokerEvent,
  type Consumption,
} from '../../broker/amqp-connection.ts';
import { logBrokerEvents } from '../../broker/log-events.ts';
import type { AmqpDelivery } from '../../broker/amqp-delivery.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import {
  type BrokerTopology,
  DEFAULT_BROKER_PREFIX,
  brokerTopology,
} from '../../pipeline/protocol/broker-topology.ts';
import { parseTask } from '../../pipeline/protocol/parse-message.ts';
import type {
  Announcement,
  Delivery,
  QueueStatus,
  Revocation,
  TaskConsumer,
  Verdict,
} from '../../pipeline/protocol/index.ts';
import { RevokedJobs } from './revoked-jobs.ts';

/** A returned task is held back this long, doubled with each return: no hot loop. */
const REQUEUE_DELAY_MS = 250;
const REQUEUE_DELAY_MAX_MS = 4_000;
/** A heartbeat is not worth waiting for. */
const HEARTBEAT_TIMEOUT_MS = 1_000;

export interface AmqpConsumerOptions {
  readonly url: string;
  /** The worker's name, for RabbitMQ's list of connections. */
  readonly name: string;
  readonly prefix?: string;
  readonly deliveryLimit?: number;
  readonly log: Logger;
  readonly openTimeoutMs?: number;
  readonly publishTimeoutMs?: number;
}

/** A worker's half of the queue through RabbitMQ. */
export class AmqpConsumer implements TaskConsumer {
  readonly #connection: AmqpConnection;
  readonly #topology: BrokerTopology;
  readonly #onEvent: (event: BrokerEvent) => void;
  readonly #running = new Set<Promise<void>>();
  readonly #revoked: RevokedJobs;
  readonly #draining = new AbortController();
  #consumption: Consumption | null = null;

  private constructor(
    connection: AmqpConnection,
    topology: BrokerTopology,
    onEvent: (event: BrokerEvent) => void,
    revoked: RevokedJobs,
  ) {
    this.#revoked = revoked;
    this.#connection = connection;
    this.#topology = topology;
    this.#onEvent = onEvent;
  }

  /** Resolves when connected. Errors: `broker-unavailable`, `usage` (the URL is none). */
  static async connect(options: AmqpConsumerOptions): Promise<AmqpConsumer> {
    const { prefix = DEFAULT_BROKER_PREFIX, deliveryLimit, log, ...rest } = options;
    const onEvent = logBrokerEvents(log);
    const topology = brokerTopology(prefix, deliveryLimit);
    const name = `sluice worker ${options.name}`;
    const revoked = new RevokedJobs();
    const onRevoked = (revocation: Revocation): void => revoked.revoke(revocation);
    const connecting: AmqpConnectionOptions = { ...rest, topology, onEvent, name, onRevoked };
    return new AmqpConsumer(await AmqpConnection.open(connecting), topology, onEvent, revoked);
  }

  async consume(
    handler: (delivery: Delivery) => Promise<Verdict>,
    prefetch: number,
  ): Promise<void> {
    if (this.#consumption !== null) throw new SluiceError('internal', 'consume was called twice');
    this.#consumption = {
      queue: this.#topology.tasks.name,
      prefetch,
      onDelivery: (delivery) => {
        const running = this.#handle(delivery, handler).finally(() => {
          this.#running.delete(running);
        });
        this.#running.add(running);
      },
    };
    await this.#connection.consume(this.#consumption);
  }

  async announce(announcement: Announcement): Promise<void> {
    const heartbeat = announcement.kind === 'worker';
    const { results, workers } = this.#topology;
    await this.#connection.publish(
      {
        queue: heartbeat ? workers.name : results.name,
        messageId: heartbeat ? announcement.worker : announcement.taskKey,
        content: Buffer.from(JSON.stringify(announcement)),
        persistent: !heartbeat,
      },
      heartbeat ? HEARTBEAT_TIMEOUT_MS : undefined,
    );
  }

  status(): QueueStatus {
    return this.#connection.status();
  }

  async drain(): Promise<void> {
    this.#draining.abort();
    if (this.#consumption !== null) await this.#connection.cancel(this.#consumption);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async close(): Promise<void> {
    await this.drain();
    await this.#connection.close();
  }

  /** Never rejects: a task ends in a verdict. */
  async #handle(
    delivery: AmqpDelivery,
    handler: (delivery: Delivery) => Promise<Verdict>,
  ): Promise<void> {
    const queue = this.#topology.tasks.name;
    const parsed = parseTask(delivery.content);
    if (!parsed.ok) {
      this.#onEvent({ kind: 'malformed-message', queue, reason: parsed.reason });
      delivery.reject();
      return;
    }
    const { redelivered, signal } = delivery;
    let verdict: Verdict = 'requeue';
    try {
      const task = parsed.value;
      verdict = await this.#revoked.handle(task, signal, (isVoid) =>
        handler({ task, redelivered, signal: isVoid }),
      );
    } catch (error) {
      this.#onEvent({ kind: 'handler-failed', queue, error });
    }
    if (verdict === 'ack') delivery.ack();
    else if (verdict === 'drop') delivery.reject();
    else {
      await this.#pauseBeforeRequeue(delivery);
      delivery.requeue();
    }
  }

  async #pauseBeforeRequeue(delivery: AmqpDelivery): Promise<void> {
    const delayMs = Math.min(REQUEUE_DELAY_MAX_MS, REQUEUE_DELAY_MS * 2 ** delivery.returns);
    const stop = AbortSignal.any([this.#draining.signal, delivery.signal]);
    if (stop.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      stop.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
