/** A clock that is set right by small steps runs evenly all the same. Milliseconds. */
const STEP_MS = 1_000;

/** Tells how long a clock of the day has run without being set. Looked at every now and then. */
export class SteppedClock {
  readonly #now: () => number;
  readonly #steadyNow: () => number;
  #aheadMs: number;
  #sinceMs: number;

  /** `steadyNow` only runs forward. */
  constructor(now: () => number, steadyNow: () => number) {
    this.#now = now;
    this.#steadyNow = steadyNow;
    this.#sinceMs = steadyNow();
    this.#aheadMs = now() - this.#sinceMs;
  }

  /** Whether nobody set the clock for so long, as far as looks at it tell; false in the beginning. */
  hasRunEvenlyFor(ms: number): boolean {
    const steadyMs = this.#steadyNow();
    const aheadMs = this.#now() - steadyMs;
    if (Math.abs(aheadMs - this.#aheadMs) > STEP_MS) {
      this.#aheadMs = aheadMs;
      this.#sinceMs = steadyMs;
    }
    return steadyMs - this.#sinceMs >= ms;
  }
}
