import type { ErrorDocument } from '../../pipeline/errors.ts';
import { ENGINE_VERSION } from '../../pipeline/execution/context.ts';
import type { JobFacts } from '../storage/job-record.ts';

/** Why no more tasks of a job are computed: those before were by another engine. Null when they were not. */
export function outdatedError({ waves }: Pick<JobFacts, 'waves'>): ErrorDocument | null {
  const engine = waves?.[0].context.engine ?? ENGINE_VERSION;
  if (engine === ENGINE_VERSION) return null;
  return {
    code: 'aborted',
    message:
      `The job was begun by another version of Sluice (${engine}, and this is ${ENGINE_VERSION}), whose ` +
      'results cannot be mixed with those of this one. Upload the file again.',
    details: { engine },
  };
}
