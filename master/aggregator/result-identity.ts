import { createHash } from 'node:crypto';
import { isDamaged } from '../coordination/job-state.ts';
import type { JobRecord } from '../storage/job-record.ts';

type JobResult = Pick<JobRecord, 'facts' | 'state'>;

/** Equal for equal results: they are a function of input and context, but for failed chunks. */
export function resultIdentity({ facts, state }: JobResult): string {
  const { inputHash, waves, planText } = facts;
  const contextKeys = (waves ?? []).map(({ contextKey }) => contextKey);
  const parts = [inputHash, ...contextKeys, planText, ...state.failed];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}

/** The chunk whose output is known to be damaged. */
export function damagedChunk({ state }: JobResult): number | null {
  const chunk = isDamaged(state) ? state.error?.details['chunk'] : null;
  return typeof chunk === 'number' ? chunk : null;
}
