import type { Job } from '../pipeline/protocol/index.ts';
import { callJson } from './api-client.ts';
import { serverFrom } from './config.ts';
import { EXIT, type ExitCode } from './failure.ts';
import { printJob, type JobFlags } from './job.ts';

/** `sluice cancel ID`: stops a job; what is done stays downloadable. */
export async function cancel(id: string, flags: JobFlags): Promise<ExitCode> {
  const path = `/api/jobs/${encodeURIComponent(id)}/cancel`;
  printJob(await callJson<Job>(serverFrom(flags), path, { method: 'POST' }), flags.json === true);
  return EXIT.done;
}
