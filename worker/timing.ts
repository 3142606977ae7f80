import { setImmediate as nextTurn } from 'node:timers/promises';

/** The worker's clock and timers: the process's own, or those of a simulation. */
export interface Timing {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Resolves when every message that has come to this process was heard. */
  readonly turn: () => Promise<void>;
  /** A computation is left after so long for what came meanwhile to be heard. */
  readonly sliceMs: number;
  /** Runs `action` once, `ms` from now. Returns what calls it off. */
  readonly after: (ms: number, action: () => void) => () => void;
  /** Runs `action` every `ms`. Returns what ends it. */
  readonly every: (ms: number, action: () => void) => () => void;
}

export const PROCESS_TIMING: Timing = {
  now: () => performance.now(),
  turn: async () => {
    // The first one may still be within the round of the event loop whose messages were read.
    await nextTurn();
    await nextTurn();
  },
  sliceMs: 50,
  after: (ms, action) => {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
  every: (ms, action) => {
    const timer = setInterval(action, ms);
    return () => clearInterval(timer);
  },
};
