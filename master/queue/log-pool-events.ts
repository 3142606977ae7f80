import type { Logger } from 'pino';
import type { PoolChild } from './child-pool.ts';

export interface PoolLog {
  readonly started: (child: PoolChild) => void;
  readonly ended: (child: PoolChild, reason: string, restartMs: number | null) => void;
}

/** Writes the coming and going of child processes into a log. */
export function logPoolEvents(log: Logger): PoolLog {
  return {
    started: ({ name, pid }) => log.info({ worker: name, pid }, 'worker started'),
    ended: ({ name, pid }, reason, restartMs) => {
      const bindings = { worker: name, pid, reason };
      if (restartMs === null) log.info(bindings, 'worker ended');
      else log.warn({ ...bindings, restartMs }, 'worker ended, starting it again');
    },
  };
}
