import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect,
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
  type RecoveringChannelModel,
} from 'amqplib';
import { SluiceError } from '../pipeline/errors.ts';
import type { BrokerTopology } from '../pipeline/protocol/broker-topology.ts';
import type { QueueStatus, Revocation } from '../pipeline/protocol/index.ts';
import { amqpAddress, explainConnectFailure, withHeartbeat } from './amqp-address.ts';
import { type AmqpDelivery, amqpDelivery } from './amqp-delivery.ts';
import { ConfirmedPublisher, type OutgoingMessage } from './confirmed-publish.ts';
import { answered, closeQuietly, cut } from './connection-ends.ts';
import { declareTopology, listenToRevocations } from './declared-topology.ts';

/** Seconds between heartbeats; RabbitMQ's guide recommends 5 to 20. */
const HEARTBEAT_SECONDS = 10;
const CONNECT_TIMEOUT_MS = 10_000;
const RECONNECT_DELAY_MS = 200;
const RECONNECT_DELAY_MAX_MS = 5_000;
/** A confirm takes some milliseconds, and longer only on a broker that is blocked and says so. */
const CONFIRM_WITHIN_MS = 8_000;
/** Pause before a message is offered again that the broker refused. */
const REFUSED_PAUSE_MS = 200;

/** What happens to the connection, for the log at the edge. */
export type BrokerEvent =
  | { readonly kind: 'connected'; readonly address: string }
  | { readonly kind: 'disconnected'; readonly address: string; readonly reason: string }
  /** Each attempt to connect that failed. */
  | { readonly kind: 'unreachable'; readonly address: string; readonly error: SluiceError }
  | { readonly kind: 'malformed-message'; readonly queue: string; readonly reason: string }
  | { readonly kind: 'handler-failed'; readonly queue: string; readonly error: unknown };

export interface AmqpConnectionOptions {
  readonly url: string;
  readonly topology: BrokerTopology;
  /** Shown in RabbitMQ's list of connections. */
  readonly name: string;
  readonly onEvent?: (event: BrokerEvent) => void;
  /** For workers: told of jobs whose tasks are wanted no more, while connected. */
  readonly onRevoked?: (revocation: Revocation) => void;
  /** How long the first connection may take before `open` rejects. */
  readonly openTimeoutMs?: number;
  /** How long a publish waits for a connection and its confirm before it rejects. */
  readonly publishTimeoutMs?: number;
  /** How long a connection may leave a message without its confirm before it is given up. */
  readonly confirmWithinMs?: number;
}

export interface Consumption {
  readonly queue: string;
  readonly prefetch: number;
  /** Messages count as acknowledged when they are sent: for what may get lost. */
  readonly noAck?: boolean;
  readonly onDelivery: (delivery: AmqpDelivery) => void;
}

/** One open channel; `closed` fires when it is gone, whatever the reason. */
interface Session {
  readonly channel: ConfirmChannel;
  readonly publisher: ConfirmedPublisher;
  readonly closed: AbortController;
  readonly consuming: Set<Consumption>;
  /** Cuts the connection, so that the recovery sets up anew. */
  readonly abandon: (reason: string) => void;
}

/**
 * A connection to RabbitMQ that comes back by itself, through amqplib's own recovery. Each time it
 * is up the topology is declared, and every consumption starts again.
 *
 * | state        | enters by                               | leaves by                       |
 * | ------------ | --------------------------------------- | ------------------------------- |
 * | connecting   | `open`, loss of connection or channel   | set-up done, `close`            |
 * | connected    | set-up done                             | loss, `close`                   |
 * | closed       | `close`, or the first attempt in vain   |                                 |
 *
 * Errors of `open` and `publish`: `broker-unavailable`, with the address and what to do.
 */
export class AmqpConnection {
  readonly #options: AmqpConnectionOptions;
  readonly #address: string;
  readonly #consumptions: Consumption[] = [];
  readonly #upListeners: (() => void)[] = [];
  readonly #tags = new Map<Consumption, string>();
  readonly #publishing = new Set<Promise<void>>();
  #waiters: (() => void)[] = [];
  #recovering: RecoveringChannelModel | null = null;
  #session: Session | null = null;
  #wasUp = false;
  #closing = false;
  #blocked = false;
  #error: string | null = 'connecting';

  private constructor(options: AmqpConnectionOptions) {
    this.#options = options;
    this.#address = amqpAddress(options.url);
  }

  /** Resolves when connected. What a retry cannot mend (password, virtual host) rejects at once. */
  static async open(options: AmqpConnectionOptions): Promise<AmqpConnection> {
    const connection = new AmqpConnection(options);
    await connection.#open();
    return connection;
  }

  status(): QueueStatus {
    return {
      kind: 'rabbitmq',
      connected: this.#session !== null,
      address: this.#address,
      error: this.#error,
    };
  }

  /** Called each time the connection came back after a loss. */
  onReconnected(listener: () => void): void {
    this.#upListeners.push(listener);
  }

  /** Starts a consumption now, or with the set-up under way, and again after each reconnection. */
  async consume(consumption: Consumption): Promise<void> {
    this.#consumptions.push(consumption);
    const session = this.#session;
    if (session === null) return;
    try {
      await this.#startConsuming(session, consumption);
    } catch (thrown) {
      // What is lost with its connection starts with the next one.
      if (!session.closed.signal.aborted) throw thrown;
    }
  }

  /** Ends a consumption; what was delivered before can still be settled. */
  async cancel(consumption: Consumption): Promise<void> {
    const index = this.#consumptions.indexOf(consumption);
    if (index >= 0) this.#consumptions.splice(index, 1);
    const session = this.#session;
    const tag = this.#tags.get(consumption);
    if (session === null || tag === undefined) return;
    try {
      await session.channel.cancel(tag);
    } catch (thrown) {
      // A channel that is gone consumes nothing; anything else is an error.
      if (!session.closed.signal.aborted) throw thrown;
    }
  }

  /** Resolves when the broker has stored the message; after a loss it is published again. */
  async publish(message: OutgoingMessage, timeoutMs?: number): Promise<void> {
    if (this.#closing) throw new SluiceError('closing', 'the connection to the broker is closed');
    const bound = new AbortController();
    const waitMs = timeoutMs ?? this.#options.publishTimeoutMs ?? 30_000;
    const expired = new Promise<never>((_resolve, reject) => {
      bound.signal.addEventListener('abort', () => reject(this.#unavailable(waitMs)));
    });
    const timer = setTimeout(() => bound.abort(), waitMs);
    const publishing = Promise.race([this.#publishUntilStored(message, bound.signal), expired]);
    this.#publishing.add(publishing);
    try {
      await publishing;
    } finally {
      clearTimeout(timer);
      this.#publishing.delete(publishing);
    }
  }

  /** Tells all workers that are connected now; not repeated. */
  revoke(revocation: Revocation): void {
    const { revoked } = this.#options.topology;
    this.#session?.channel.publish(revoked, '', Buffer.from(JSON.stringify(revocation)));
  }

  /** Waits for the confirms under way, then disconnects. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await Promise.allSettled(this.#publishing);
    this.#wakeWaiters();
    await this.#recovering?.close();
    this.#session?.closed.abort();
    this.#session = null;
    this.#error = 'closed';
  }

  async #open(): Promise<void> {
    const recovering = await connect(withHeartbeat(this.#options.url, HEARTBEAT_SECONDS), {
      noDelay: true,
      keepAlive: true,
      timeout: CONNECT_TIMEOUT_MS,
      clientProperties: { connection_name: this.#options.name },
      recovery: {
        initialDelay: RECONNECT_DELAY_MS,
        maxDelay: RECONNECT_DELAY_MAX_MS,
        waitForConnect: false,
        setup: (model: ChannelModel) => this.#setUp(model),
      },
    });
    this.#recovering = recovering;
    this.#listen(recovering);
    const openTimeoutMs = this.#options.openTimeoutMs ?? 30_000;
    let lastError: SluiceError | null = null;
    const timer = setTimeout(() => void recovering.close(), openTimeoutMs);
    recovering.on('connect-failed', (thrown) => {
      const { error, permanent } = explainConnectFailure(thrown, this.#address);
      lastError = error;
      if (permanent && !this.#wasUp) void recovering.close();
    });
    try {
      await recovering.waitForConnect();
    } catch (thrown) {
      this.#closing = true;
      throw lastError ?? this.#unavailable(openTimeoutMs, thrown);
    } finally {
      clearTimeout(timer);
    }
    this.#wasUp = true;
  }

  #listen(recovering: RecoveringChannelModel): void {
    const report = (event: BrokerEvent): void => this.#options.onEvent?.(event);
    const address = this.#address;
    recovering.on('connect', () => {
      report({ kind: 'connected', address });
      if (this.#wasUp) for (const listener of this.#upListeners) listener();
    });
    recovering.on('disconnect', (thrown) => {
      report({ kind: 'disconnected', address, reason: thrown.message });
    });
    recovering.on('connect-failed', (thrown) => {
      const { error } = explainConnectFailure(thrown, address);
      this.#error = error.message;
      report({ kind: 'unreachable', address, error });
    });
    recovering.on('blocked', (reason) => {
      this.#blocked = true;
      this.#error = `the broker at ${address} takes no messages now: ${reason}`;
    });
    recovering.on('unblocked', () => {
      this.#blocked = false;
      this.#error = null;
    });
    // The reason comes again with 'disconnect', which always follows.
    recovering.on('error', () => {});
  }

  /** Runs on every new connection, before amqplib calls it connected. */
  async #setUp(model: ChannelModel): Promise<void> {
    // Until the recovery listens, an error on the connection would end the process.
    model.on('error', () => {});
    const channel = await model.createConfirmChannel();
    const closed = new AbortController();
    const publisher = new ConfirmedPublisher(channel, closed.signal);
    const abandon = (reason: string): void => cut(model, reason);
    const session = { channel, closed, publisher, consuming: new Set<Consumption>(), abandon };
    this.#blocked = false;
    channel.on('error', (thrown) => {
      this.#error = `the broker at ${this.#address} closed the channel: ${thrown.message}`;
    });
    channel.on('close', () => this.#sessionClosed(session, model));
    await answered(this.#begin(session), model);
  }

  async #begin(session: Session): Promise<void> {
    const { topology, onRevoked } = this.#options;
    await declareTopology(session.channel, topology);
    if (onRevoked !== undefined) await listenToRevocations(session.channel, topology, onRevoked);
    const next = (): Consumption | undefined =>
      this.#consumptions.find((one) => !session.consuming.has(one));
    for (let one = next(); one !== undefined; one = next()) {
      await this.#startConsuming(session, one);
    }
    if (session.closed.signal.aborted) return;
    this.#session = session;
    this.#error = null;
    this.#wakeWaiters();
  }

  /** A channel that is lost alone takes its connection along, so that the recovery sets up anew. */
  #sessionClosed(session: Session, model: ChannelModel): void {
    session.closed.abort();
    if (this.#session === session) {
      this.#session = null;
      this.#error ??= `the connection to the broker at ${this.#address} was lost`;
    }
    if (!this.#closing) closeQuietly(model);
  }

  async #startConsuming(session: Session, consumption: Consumption): Promise<void> {
    const { channel, closed } = session;
    session.consuming.add(consumption);
    const onMessage = (message: ConsumeMessage | null): void => {
      // Null: the queue was deleted. A new set-up declares it again.
      if (message === null) void channel.close().catch(() => closed.abort());
      else consumption.onDelivery(amqpDelivery(channel, message, closed.signal));
    };
    await channel.prefetch(consumption.prefetch);
    const { consumerTag } = await channel.consume(consumption.queue, onMessage, {
      noAck: consumption.noAck ?? false,
    });
    this.#tags.set(consumption, consumerTag);
  }

  async #publishUntilStored(message: OutgoingMessage, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const session = this.#session;
      if (session !== null && !session.closed.signal.aborted) {
        if (await this.#isStoredBy(session, message, signal)) return;
        continue;
      }
      if (this.#closing) throw new SluiceError('closing', 'the connection is closing');
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /**
   * Resolves when the message is stored, or else when the session is over. One that neither stores
   * it nor says why is given up: when the leader of a quorum queue is killed, a channel may go on
   * asking the old one, and leave messages without an answer or refuse them for ever (RabbitMQ 3.10).
   * A new connection asks the new leader. A message that comes twice does no harm.
   */
  async #isStoredBy(
    session: Session,
    message: OutgoingMessage,
    expired: AbortSignal,
  ): Promise<boolean> {
    const withinMs = this.#options.confirmWithinMs ?? CONFIRM_WITHIN_MS;
    const timer = setInterval(() => {
      const reason = `the broker did not store a message within ${withinMs / 1000} s`;
      if (!this.#blocked) session.abandon(reason);
    }, withinMs);
    try {
      while (!session.closed.signal.aborted && !expired.aborted) {
        const outcome = await session.publisher.publish(message);
        if (outcome === 'stored') return true;
        // The queue was deleted under us: a new set-up declares it.
        if (outcome === 'unroutable') await session.channel.close().catch(() => {});
        else if (outcome === 'refused') await sleep(REFUSED_PAUSE_MS);
      }
      return false;
    } finally {
      clearInterval(timer);
    }
  }

  #wakeWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  #unavailable(waitedMs: number, cause?: unknown): SluiceError {
    const reason = this.#error ?? 'it did not confirm the message';
    return new SluiceError(
      'broker-unavailable',
      `no answer from the broker at ${this.#address} for ${waitedMs / 1000} s (${reason}); ` +
        'check that RabbitMQ runs there and can be reached',
      { cause, details: { address: this.#address } },
    );
  }
}
