/** Window over which a rate is measured. Long enough for chunks of half a second each. */
const WINDOW_MS = 15_000;

/** Rate of a growing count over the last seconds. */
export class RateMeter {
  readonly #now: () => number;
  #samples: { readonly atMs: number; readonly count: number }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  add(count: number): void {
    const atMs = this.#now();
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < 200) this.#samples.pop();
    this.#samples.push({ atMs, count });
    while ((this.#samples[0]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#samples.shift();
  }

  /** Units per millisecond, or null while there is too little to tell. */
  perMs(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < 500) return null;
    const rate = (last.count - first.count) / (last.atMs - first.atMs);
    return rate > 0 ? rate : null;
  }
}
