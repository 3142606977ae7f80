import type { ReadOptions } from '../../pipeline/dialect/read-options.ts';
import type { PlanDocument } from '../../pipeline/plan/schema.ts';

/** How a plan wants its input to be read. */
export function readOptionsOf({ read, fields }: PlanDocument): ReadOptions {
  return { ...read, fields };
}
