/** Bytes per second over the last seconds, from samples of a growing total. */
export interface RateMeter {
  add(total: number, nowMs: number): void;
  /** Null until two samples with some time between them are there. */
  rate(nowMs: number): number | null;
  reset(): void;
}

export function createRateMeter(windowMs = 5000): RateMeter {
  let samples: { total: number; ms: number }[] = [];
  const trim = (nowMs: number) => {
    const kept = samples.filter((sample) => nowMs - sample.ms <= windowMs);
    samples = kept.length > 0 ? kept : samples.slice(-1);
  };
  return {
    add(total, nowMs) {
      const last = samples.at(-1);
      if (last !== undefined && total < last.total) samples = [];
      samples.push({ total, ms: nowMs });
      trim(nowMs);
    },
    rate(nowMs) {
      const first = samples[0];
      const last = samples.at(-1);
      if (first === undefined || last === undefined) return null;
      const elapsedMs = Math.max(last.ms, nowMs) - first.ms;
      if (elapsedMs < 250) return null;
      return ((last.total - first.total) / elapsedMs) * 1000;
    },
    reset() {
      samples = [];
    },
  };
}

/** Milliseconds until `total` at the given rate; null when nothing moves. */
export function remainingMs(done: number, total: number, rate: number | null): number | null {
  if (rate === null || rate <= 0) return null;
  return Math.max(0, ((total - done) / rate) * 1000);
}
