import { SluiceError } from '../../pipeline/errors.ts';

export interface RetentionRule {
  /** Finished jobs are kept so long after their last change; null keeps them. */
  readonly forMs: number | null;
  /** So many finished jobs are kept, those that changed last; null keeps all. */
  readonly jobs: number | null;
}

/** A job at its end. */
export interface FinishedJob {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly updatedMs: number;
}

/** The jobs that a rule does not keep. `finished` come with those that changed last first. */
export function expiredJobs(
  finished: readonly FinishedJob[],
  { forMs, jobs }: RetentionRule,
  nowMs: number,
): FinishedJob[] {
  return finished.filter(({ updatedMs }, at) => {
    const isOld = forMs !== null && nowMs - updatedMs > forMs;
    return isOld || (jobs !== null && at >= jobs);
  });
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration such as 30d, 12h, 10m, 45s or 500ms. `name` is told in the error. */
export function parseDuration(text: string, name: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  if (number === undefined || unit === undefined) {
    throw new SluiceError(
      'usage',
      `${name} takes a duration such as 30d, 12h, 10m or 45s, not ${JSON.stringify(text)}`,
    );
  }
  return Number(number) * UNITS[unit as keyof typeof UNITS];
}
