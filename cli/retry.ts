import type { Job } from '../pipeline/protocol/index.ts';
import { callJson } from './api-client.ts';
import { serverFrom } from './config.ts';
import { EXIT, type ExitCode } from './failure.ts';
import { printJob, type JobFlags } from './job.ts';

/** `sluice retry ID`: runs the failed chunks of a job again. */
export async function retry(id: string, flags: JobFlags): Promise<ExitCode> {
  const path = `/api/jobs/${encodeURIComponent(id)}/retry`;
  printJob(await callJson<Job>(serverFrom(flags), path, { method: 'POST' }), flags.json === true);
  return EXIT.done;
}
