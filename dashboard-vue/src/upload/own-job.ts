import type { Job } from '../../../pipeline/protocol/index.ts';

export interface OwnJobSearch {
  readonly name: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Ids of jobs that were there before the upload began, or that belong to another upload. */
  readonly known: ReadonlySet<string>;
}

/**
 * The job that an upload of this page made, while the upload still runs: the answer with the job's
 * id comes only when the last byte has arrived. `jobs` newest first, as the API lists them.
 */
export function findOwnJob(jobs: readonly Job[], search: OwnJobSearch): Job | null {
  const fits = (job: Job) =>
    job.name === search.name &&
    !search.known.has(job.id) &&
    (job.bytesTotal === null || job.bytesTotal === search.size);
  return jobs.findLast(fits) ?? null;
}
