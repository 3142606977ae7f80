import type { Random } from './random.ts';

/** How likely what goes wrong is in one run: each run has its own mixture, and some have none. */
export interface FaultRates {
  /** Per call of the blob store. */
  disk: number;
  /** Per commit. */
  commitFailure: number;
  /** Per commit: the master ends right before it or right after it. */
  crashAtCommit: number;
  /** Mean time between looks for garbage; 0 for none. */
  readonly sweepEveryMs: number;
  /** Jobs at their end that are kept, those that changed last; null for all. */
  keepJobs: number | null;
  /** They are kept for so long by the master's clock; null for always. */
  keepForMs: number | null;
  /** Per piece of a resumable upload: the client is cut off, or says what is wrong. */
  cutUpload: number;
  /** Mean time between the faults of `kinds`. */
  readonly everyMs: number;
  readonly kinds: readonly FaultKind[];
}

export const FAULT_KINDS = [
  'crash master',
  'lose power',
  'lose power of master',
  'crash worker',
  'stop worker',
  'stale worker',
  'slow worker',
  'cut connection',
  'cut store',
  'restart broker',
  'wipe broker',
  'block broker',
  'duplicate message',
  'full disk',
  'corrupt result',
  'lose result',
  'lose document',
  'damage input',
  'jump clock',
  'lose client',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export function pickFaults(random: Random): FaultRates {
  if (random.chance(0.03)) {
    return {
      ...{ disk: 0, commitFailure: 0, crashAtCommit: 0, everyMs: 1, kinds: [] },
      ...{ sweepEveryMs: 60, keepJobs: null, keepForMs: null, cutUpload: 0 },
    };
  }
  const rate = (most: number) => (random.chance(0.5) ? 0 : random.next() * most);
  const share = random.next();
  const isForgetful = random.chance(0.12);
  return {
    disk: rate(0.03),
    commitFailure: rate(0.05),
    crashAtCommit: rate(0.02),
    sweepEveryMs: random.chance(0.5) ? 0 : random.between(50, 700),
    keepJobs: random.chance(0.2) ? random.between(1, 2) : null,
    ...(isForgetful ? FORGETFUL : { keepForMs: null }),
    cutUpload: rate(0.15),
    everyMs: random.between(15, 300),
    kinds: FAULT_KINDS.filter((kind) => {
      return random.chance(isForgetful && kind === 'jump clock' ? 0.9 : share);
    }),
  };
}

/** Jobs go by their age, and somebody looks at the clock often. */
const FORGETFUL = { keepForMs: 400, sweepEveryMs: 40, keepJobs: null };

/** Whether nothing goes wrong in the run. */
export function isCalm(rates: FaultRates): boolean {
  const { disk, commitFailure, crashAtCommit, cutUpload, keepJobs, keepForMs, kinds } = rates;
  const isKept = keepJobs === null && keepForMs === null;
  return isKept && disk + commitFailure + crashAtCommit + cutUpload + kinds.length === 0;
}
