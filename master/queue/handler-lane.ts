const RETRY_DELAY_MS = 100;
const RETRY_DELAY_MAX_MS = 5_000;

interface Entry<T> {
  readonly item: T;
  readonly options: SubmitOptions;
  readonly settle: (outcome: Outcome) => void;
  failures: number;
}

export interface SubmitOptions {
  /** Whether a rejecting handler gets the item again; else the item is abandoned. */
  readonly retry: boolean;
  /** The item is abandoned when this says true by the time its turn comes. */
  readonly isVoid?: () => boolean;
}

export type Outcome = 'handled' | 'abandoned';

/**
 * Calls one handler for one item at a time. An item whose handler rejects has its turn again after a
 * growing pause, while others go on. Items wait until there is a handler. Whoever submits bounds
 * how many wait: a broker by its prefetch, a child process by the tasks it holds.
 */
export class HandlerLane<T> {
  readonly #onFailure: (thrown: unknown) => void;
  readonly #timers = new Map<Entry<T>, NodeJS.Timeout>();
  #handler: ((item: T) => Promise<void>) | null = null;
  #waiting: Entry<T>[] = [];
  #running: Promise<void> | null = null;
  #closed = false;

  /** `onFailure` is told each time the handler rejects. */
  constructor(onFailure: (thrown: unknown) => void) {
    this.#onFailure = onFailure;
  }

  get hasHandler(): boolean {
    return this.#handler !== null;
  }

  setHandler(handler: (item: T) => Promise<void>): void {
    this.#handler = handler;
    this.#start();
  }

  /** Resolves when the handler has resolved for the item, or the item is given up. */
  submit(item: T, options: SubmitOptions): Promise<Outcome> {
    if (this.#closed) return Promise.resolve('abandoned');
    return new Promise((settle) => {
      this.#waiting.push({ item, options, settle, failures: 0 });
      this.#start();
    });
  }

  /** Waits for the running handler and those whose turn has come; gives up what waits for a retry. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const [entry, timer] of this.#timers) {
      clearTimeout(timer);
      entry.settle('abandoned');
    }
    this.#timers.clear();
    if (this.#handler === null) {
      for (const entry of this.#waiting.splice(0)) entry.settle('abandoned');
    }
    while (this.#running !== null) await this.#running;
  }

  #start(): void {
    if (this.#running !== null || this.#handler === null) return;
    this.#running = this.#run(this.#handler).finally(() => {
      this.#running = null;
      if (this.#waiting.length > 0) this.#start();
    });
  }

  async #run(handler: (item: T) => Promise<void>): Promise<void> {
    for (let entry = this.#waiting.shift(); entry; entry = this.#waiting.shift()) {
      if (entry.options.isVoid?.() === true) {
        entry.settle('abandoned');
        continue;
      }
      try {
        await handler(entry.item);
        entry.settle('handled');
      } catch (thrown) {
        this.#onFailure(thrown);
        this.#again(entry);
      }
    }
  }

  #again(entry: Entry<T>): void {
    if (!entry.options.retry || this.#closed) {
      entry.settle('abandoned');
      return;
    }
    const delayMs = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_MS * 2 ** entry.failures);
    entry.failures++;
    const timer = setTimeout(() => {
      this.#timers.delete(entry);
      this.#waiting.push(entry);
      this.#start();
    }, delayMs);
    this.#timers.set(entry, timer);
  }
}
