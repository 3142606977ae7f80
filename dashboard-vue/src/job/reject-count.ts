import type { Job } from '../../../pipeline/protocol/index.ts';

/** How many rejects there are to see: records of the input, and groups and joined records. */
export function rejectCount({ rejected, derivedRejected }: Job): number {
  return rejected + derivedRejected;
}
