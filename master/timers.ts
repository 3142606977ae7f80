/** Timers of a process, or of a simulation. */
export interface Timers {
  /** Runs `action` once, `ms` from now. Returns what calls it off. */
  readonly after: (ms: number, action: () => void) => () => void;
  /** Runs `action` every `ms`. Returns what ends it. */
  readonly every: (ms: number, action: () => void) => () => void;
}

/** They do not keep the process alive. */
export const PROCESS_TIMERS: Timers = {
  after: (ms, action) => {
    const timer = setTimeout(action, ms).unref();
    return () => clearTimeout(timer);
  },
  every: (ms, action) => {
    const timer = setInterval(action, ms).unref();
    return () => clearInterval(timer);
  },
};
