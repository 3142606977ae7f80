import type { SortKey } from '../plan/step.ts';

/**
 * What the tasks of one wave prepare for those of the next. Plain JSON, normalised: part of the
 * contexts of both waves.
 */
export type Exchange =
  | {
      /** Each output is a run: its records in order (stable), with their keys beside them. */
      readonly kind: 'sort';
      readonly keys: readonly SortKey[];
      /** Records that a run keeps at most; null for all. */
      readonly take: number | null;
    }
  | {
      /** Outputs in order; of all their records those from `offset` on are kept, `count` at most. */
      readonly kind: 'limit';
      readonly offset: number;
      readonly count: number | null;
    };
