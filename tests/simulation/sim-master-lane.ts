import type { Announcement, TaskMessage } from '../../pipeline/protocol/index.ts';
import type { Random } from './random.ts';
import type { SimConnection } from './sim-connection.ts';

/** What waits for the master: an announcement or a dead letter. */
export type Letter =
  | {
      readonly announcement: Announcement;
      /** Called when the master's handler has resolved. */
      readonly handled?: () => void;
    }
  | { readonly task: TaskMessage; readonly reason: string };

const AGAIN_MS = 100;

/**
 * The queues that the master reads: one handler at a time, in no order, acknowledged when it has
 * resolved, tried again when it rejects, delivered again when the master or its connection is lost.
 */
export class MasterLane {
  readonly #random: Random;
  #waiting: Letter[] = [];
  #unacknowledged = new Set<Letter>();
  #connection: SimConnection | null = null;
  #announced: ((announcement: Announcement) => Promise<void>) | null = null;
  #dead: ((task: TaskMessage, reason: string) => Promise<void>) | null = null;
  #isBusy = false;

  constructor(random: Random) {
    this.#random = random;
  }

  get isAttached(): boolean {
    return this.#connection !== null && this.#connection.process.alive;
  }

  /** A new master reads from here on. */
  attach(connection: SimConnection): void {
    this.#connection = connection;
    this.#announced = null;
    this.#dead = null;
    this.#isBusy = false;
    connection.onReconnected.push(() => this.#next());
  }

  onAnnouncement(handler: (announcement: Announcement) => Promise<void>): void {
    this.#announced = handler;
    this.#next();
  }

  onDeadLetter(handler: (task: TaskMessage, reason: string) => Promise<void>): void {
    this.#dead = handler;
    this.#next();
  }

  offer(letter: Letter): void {
    this.#waiting.push(letter);
    this.#next();
  }

  duplicateOne(): void {
    if (this.#waiting.length === 0) return;
    const letter = this.#random.pick(this.#waiting);
    this.offer('task' in letter ? { ...letter } : { announcement: letter.announcement });
  }

  connectionLost(connection: SimConnection): void {
    if (connection !== this.#connection) return;
    this.#waiting.push(...this.#unacknowledged);
    this.#unacknowledged.clear();
  }

  forgetEverything(): void {
    this.#waiting = [];
    this.#unacknowledged = new Set();
  }

  #next(): void {
    const connection = this.#connection;
    if (connection === null || !connection.isUp || !connection.process.alive) return;
    if (this.#isBusy || this.#announced === null || this.#dead === null) return;
    if (this.#waiting.length === 0) return;
    const [letter] = this.#waiting.splice(this.#random.below(this.#waiting.length), 1);
    if (letter === undefined) return;
    this.#isBusy = true;
    this.#unacknowledged.add(letter);
    const { epoch, process } = connection;
    process.after(this.#random.next() * 2, `reads ${nameOf(letter)}`, () => {
      if (connection.epoch === epoch) {
        void this.#handle(connection, epoch, letter);
        return;
      }
      this.#isBusy = false;
      this.#next();
    });
  }

  async #handle(connection: SimConnection, epoch: number, letter: Letter): Promise<void> {
    const { process } = connection;
    let handled = true;
    try {
      if ('task' in letter) await this.#dead?.(letter.task, letter.reason);
      else await this.#announced?.(letter.announcement);
    } catch {
      handled = false;
    }
    // Ended within its handler: whatever it did is done, and the letter comes again.
    if (!process.alive) return;
    this.#isBusy = false;
    const isHeartbeat = 'announcement' in letter && letter.announcement.kind === 'worker';
    if (handled && 'handled' in letter) letter.handled?.();
    // The next one says it all again.
    if (isHeartbeat) this.#unacknowledged.delete(letter);
    else if (!handled) {
      process.after(AGAIN_MS, 'tries again', () => {
        if (this.#unacknowledged.delete(letter)) this.offer(letter);
      });
    } else {
      void process.call(`acknowledges ${nameOf(letter)}`, 1, () => {
        if (connection.epoch === epoch) this.#unacknowledged.delete(letter);
      });
    }
    this.#next();
  }
}

function nameOf(letter: Letter): string {
  if ('task' in letter) return `dead letter ${letter.task.chunkIndex}`;
  const { announcement } = letter;
  return announcement.kind === 'worker'
    ? `heartbeat of ${announcement.worker}`
    : `${announcement.kind} ${announcement.chunkIndex} from ${announcement.worker}`;
}
