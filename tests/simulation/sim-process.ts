import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** Thrown into code of a process that has ended: nobody sees what becomes of it. */
export class ProcessEnded extends Error {}

/**
 * One life of a process. Whatever its code waits for goes through here, so a kill means that
 * nothing it waits for ever comes; the code stops at that await and is forgotten.
 */
export class SimProcess {
  readonly name: string;
  /** Each wait takes so many times longer. */
  slowness = 1;
  /** Whether the network between it and the store is cut, while the broker hears it. */
  isCutFromStore = false;
  readonly scheduler: Scheduler;
  readonly random: Random;
  #alive = true;
  readonly #onEnd: (() => void)[] = [];
  readonly #onUncaught: (message: string) => void;

  /** `onUncaught` is told of errors that would end a real process. */
  constructor(
    name: string,
    scheduler: Scheduler,
    random: Random,
    onUncaught: (message: string) => void,
  ) {
    this.name = name;
    this.scheduler = scheduler;
    this.random = random;
    this.#onUncaught = onUncaught;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Ends the process between two steps of it, or in the midst of one. */
  kill(reason: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.scheduler.note(`${this.name} ends: ${reason}`);
    for (const listener of this.#onEnd) listener();
  }

  onEnd(listener: () => void): void {
    this.#onEnd.push(listener);
  }

  /**
   * A call to the world outside, performed after a while. When the process has ended by then, the
   * call may still have been on its way: it is performed or not, and nobody hears of it.
   */
  call<T>(label: string, meanMs: number, perform: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#alive) return;
      this.scheduler.after(this.#delay(meanMs), `${this.name} ${label}`, () => {
        if (!this.#alive && this.random.chance(0.5)) return;
        try {
          const value = perform();
          if (this.#alive) resolve(value);
        } catch (thrown) {
          if (this.#alive) reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
      });
    });
  }

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => void this.after(ms, 'wakes', resolve));

  after(ms: number, label: string, action: () => void): () => void {
    return this.scheduler.after(ms, `${this.name} ${label}`, () => {
      if (!this.#alive) return;
      try {
        action();
      } catch (thrown) {
        if (this.#alive) this.#onUncaught(`${this.name} throws ${String(thrown)}`);
        this.kill('an error that nobody catches');
      }
    });
  }

  every(ms: number, label: string, action: () => void): () => void {
    let ended = false;
    const again = (): void => {
      this.after(ms, label, () => {
        if (ended) return;
        action();
        again();
      });
    };
    again();
    return () => {
      ended = true;
    };
  }

  /** Mostly near the mean, now and then ten times that. */
  #delay(meanMs: number): number {
    const factor = this.random.chance(0.05) ? 10 : 1;
    return this.random.next() * 2 * meanMs * factor * this.slowness;
  }
}
