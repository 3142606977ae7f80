import { SluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type {
  Announcement,
  Delivery,
  QueueStatus,
  Revocation,
  TaskConsumer,
  TaskMessage,
  TaskProducer,
  Verdict,
} from '../../pipeline/protocol/index.ts';
import { RevokedJobs } from '../../worker/queue/revoked-jobs.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { SimConnection } from './sim-connection.ts';
import { MasterLane } from './sim-master-lane.ts';
import type { SimProcess } from './sim-process.ts';

/** `in-process`: the queue lives and dies with the master, as do the workers. */
export type BrokerMode = 'rabbitmq' | 'in-process';

/** Told of everything that passes, at the moment it does. */
export interface BrokerWatch {
  published(task: TaskMessage): void;
  announced(announcement: Announcement): void;
}

interface Ticket {
  readonly task: TaskMessage;
  deliveries: number;
}

interface Consumer {
  readonly connection: SimConnection;
  readonly prefetch: number;
  readonly handler: (delivery: Delivery) => Promise<Verdict>;
  readonly held: Set<Ticket>;
  readonly running: Set<Promise<void>>;
  isDraining: boolean;
  readonly revoked: RevokedJobs;
}

const REQUEUE_DELAY_MS = 250;

/**
 * Both adapters of the queue in one: at least once, in no order, with confirms, cuts, redelivery
 * and a delivery limit. Tasks wait in `#tasks`, announcements and dead letters in the lane.
 */
export class SimBroker {
  readonly mode: BrokerMode;
  isUp = true;
  isBlocked = false;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #watch: BrokerWatch;
  readonly #connections = new Set<SimConnection>();
  readonly #consumers = new Set<Consumer>();
  readonly #lane: MasterLane;
  #tasks: Ticket[] = [];

  constructor(mode: BrokerMode, scheduler: Scheduler, random: Random, watch: BrokerWatch) {
    this.mode = mode;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#watch = watch;
    this.#lane = new MasterLane(random);
  }

  producer(process: SimProcess): TaskProducer {
    const connection = this.#connect(process);
    if (this.mode === 'in-process') process.onEnd(() => this.#forgetEverything());
    this.#lane.attach(connection);
    return {
      publish: async (task) => {
        if (!process.alive) return;
        this.#watch.published(task);
        const store = () => this.#offer({ task, deliveries: 0 });
        if (this.mode === 'in-process') store();
        else await connection.publish(`publish ${task.chunkIndex}`, false, store);
      },
      revoke: (jobId, round) => this.#revoke({ jobId, round }),
      onAnnouncement: async (handler) => this.#lane.onAnnouncement(handler),
      onDeadLetter: async (handler) => this.#lane.onDeadLetter(handler),
      onConnected: (listener) => void connection.onReconnected.push(listener),
      status: () => this.#status(connection),
      close: async () => undefined,
    };
  }

  consumer(process: SimProcess): TaskConsumer {
    const connection = this.#connect(process);
    let consumer: Consumer | null = null;
    const drain = async (): Promise<void> => {
      if (consumer === null) return;
      consumer.isDraining = true;
      while (consumer.running.size > 0) await Promise.all(consumer.running);
    };
    return {
      consume: async (handler, prefetch) => {
        const running = new Set<Promise<void>>();
        const revoked = new RevokedJobs();
        const held = new Set<Ticket>();
        consumer = { connection, prefetch, handler, held, running, isDraining: false, revoked };
        this.#consumers.add(consumer);
        connection.onReconnected.push(() => this.#deliver());
        this.#deliver();
      },
      announce: async (announcement) => {
        if (process.alive) await this.#announce(connection, announcement);
      },
      status: () => this.#status(connection),
      drain,
      // What was on its way to it goes back when the connection is gone.
      close: drain,
    };
  }

  /** Cuts one connection; null when there is none, as within one process. */
  cutOne(): string | null {
    if (this.mode === 'in-process' || this.#connections.size === 0) return null;
    const connection = this.#random.pick([...this.#connections]);
    this.#cut(connection);
    return connection.process.name;
  }

  /** The broker ends and comes back, with its queues or without. */
  restart(downMs: number, losesAll: boolean): void {
    if (this.mode === 'in-process') return;
    this.isUp = false;
    for (const connection of [...this.#connections]) this.#cut(connection);
    if (losesAll) this.#forgetEverything();
    this.#scheduler.after(downMs, 'broker is back', () => {
      this.isUp = true;
    });
  }

  /** A message comes twice. */
  duplicateOne(): void {
    if (this.#random.chance(0.5)) this.#lane.duplicateOne();
    else if (this.#tasks.length > 0) {
      this.#offer({ task: this.#random.pick(this.#tasks).task, deliveries: 0 });
    }
  }

  async #announce(connection: SimConnection, announcement: Announcement): Promise<void> {
    const heartbeat = announcement.kind === 'worker';
    const label = heartbeat ? 'heartbeat' : `announce ${announcement.kind}`;
    this.#watch.announced(announcement);
    if (this.mode === 'rabbitmq') {
      await connection.publish(label, heartbeat, () => this.#lane.offer({ announcement }));
      return;
    }
    if (!this.#lane.isAttached) throw new SluiceError('master-unavailable', 'the master is gone');
    await connection.process.call(label, 1, () => undefined);
    await new Promise<void>((handled) => this.#lane.offer({ announcement, handled }));
  }

  /** Some workers hear of it later, some not at all. */
  #revoke(revocation: Revocation): void {
    const { jobId, round } = revocation;
    if (this.mode === 'in-process') {
      this.#tasks = this.#tasks.filter(({ task }) => task.jobId !== jobId || task.round > round);
    }
    for (const { connection, revoked } of this.#consumers) {
      if (this.#random.chance(0.2)) continue;
      connection.process.after(this.#random.next() * 20, `hears of ${jobId}`, () =>
        revoked.revoke(revocation),
      );
    }
  }

  #connect(process: SimProcess): SimConnection {
    const connection = new SimConnection(process, this);
    this.#connections.add(connection);
    // The broker notices after a while that somebody is gone.
    process.onEnd(() => {
      this.#scheduler.after(this.#random.between(0, 60), `broker misses ${process.name}`, () => {
        this.#cut(connection);
        this.#connections.delete(connection);
        for (const consumer of this.#consumers) {
          if (consumer.connection === connection) this.#consumers.delete(consumer);
        }
      });
    });
    return connection;
  }

  #cut(connection: SimConnection): void {
    connection.cut();
    for (const consumer of this.#consumers) {
      if (consumer.connection !== connection) continue;
      const held = [...consumer.held];
      consumer.held.clear();
      for (const ticket of held) this.#takeBack(ticket);
    }
    this.#lane.connectionLost(connection);
    this.#deliver();
  }

  #forgetEverything(): void {
    this.#tasks = [];
    for (const consumer of this.#consumers) consumer.held.clear();
    this.#lane.forgetEverything();
  }

  #offer(ticket: Ticket): void {
    this.#tasks.push(ticket);
    this.#deliver();
  }

  #takeBack(ticket: Ticket): void {
    if (ticket.deliveries < LIMITS.deliveryLimit) this.#tasks.push(ticket);
    else this.#lane.offer({ task: ticket.task, reason: 'delivery-limit' });
  }

  /** Gives waiting tasks, in any order, to whoever has room. */
  #deliver(): void {
    while (this.#tasks.length > 0) {
      const withRoom = [...this.#consumers].filter(
        ({ connection, isDraining, held, prefetch }) =>
          connection.isUp && connection.process.alive && !isDraining && held.size < prefetch,
      );
      if (withRoom.length === 0) return;
      const consumer = this.#random.pick(withRoom);
      const [ticket] = this.#tasks.splice(this.#random.below(this.#tasks.length), 1);
      if (ticket === undefined) return;
      ticket.deliveries += 1;
      consumer.held.add(ticket);
      const { connection } = consumer;
      const { epoch } = connection;
      connection.process.after(this.#random.next() * 2, `takes ${ticket.task.chunkIndex}`, () => {
        if (connection.epoch !== epoch) return;
        const running = this.#handle(consumer, ticket).finally(() => {
          consumer.running.delete(running);
        });
        consumer.running.add(running);
      });
    }
  }

  async #handle(consumer: Consumer, ticket: Ticket): Promise<void> {
    const { connection } = consumer;
    const { epoch, process, lost } = connection;
    const redelivered = ticket.deliveries > 1;
    let verdict: Verdict = 'requeue';
    try {
      const { task } = ticket;
      verdict = await consumer.revoked.handle(task, lost.signal, (signal) =>
        consumer.handler({ task, redelivered, signal }),
      );
    } catch {
      verdict = 'requeue';
    }
    if (verdict === 'requeue') await process.sleep(REQUEUE_DELAY_MS * 2 ** ticket.deliveries);
    await process.call(`${verdict} ${ticket.task.chunkIndex}`, 1, () => {
      if (connection.epoch !== epoch || !consumer.held.delete(ticket)) return;
      if (verdict === 'requeue') this.#takeBack(ticket);
      else if (verdict === 'drop') this.#lane.offer({ task: ticket.task, reason: 'rejected' });
      this.#deliver();
    });
  }

  #status(connection: SimConnection): QueueStatus {
    return { kind: this.mode, connected: connection.isUp, address: '', error: null };
  }
}
