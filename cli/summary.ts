import type { Job } from '../pipeline/protocol/index.ts';
import { formatCount, formatDuration, formatRate } from './figures.ts';
import type { JobRunner } from './job-runner.ts';

/** What a run says at its end: warnings, checks that were not met, and its counts when it took `ms`;
 *  null for one that did not come to its end. Lines with their ends. */
export function summaryLines(job: Job, ms: number | null): string[] {
  const warnings = job.warnings.map((warning) => `warning: ${warning}\n`);
  return [...warnings, ...checkLines(job), ...(ms === null ? [] : [countsLine(job, ms)])];
}

/** Checks of severity warn that some records did not meet. */
function checkLines({ warned }: Job): string[] {
  return warned
    .filter(({ records }) => records > 0)
    .map(({ check, records }) => {
      const what = records === 1 ? 'record does' : 'records do';
      return `warning: ${formatCount(records)} ${what} not meet the check ${JSON.stringify(check)}\n`;
    });
}

function countsLine(job: Job, ms: number): string {
  const { deduplicated, failed } = job;
  const counts = [
    `${formatCount(job.recordsIn)} ${job.recordsIn === 1 ? 'record' : 'records'} in`,
    `${formatCount(job.resultRecords)} out`,
    `${formatCount(job.rejected)} rejected`,
    `${formatCount(job.filtered)} filtered`,
    ...(deduplicated === 0 ? [] : [`${formatCount(deduplicated)} deduplicated`]),
    ...(failed === 0 ? [] : [`${formatCount(failed)} in failed chunks`]),
  ];
  return `${counts.join(', ')}; ${formatDuration(ms)}, ${formatRate(job.bytesReceived, ms)}\n`;
}

/** Why the first record was rejected, for those who did not ask for a file of rejects; else ''. */
export async function firstReject(runner: JobRunner, job: Job): Promise<string> {
  if (job.rejected + job.derivedRejected === 0) return '';
  for await (const { record, line, wave, columnName, step, message } of runner.rejects(job.id)) {
    const places = [
      `record ${formatCount(record)}${line === null ? ` of those that came to wave ${wave + 1}` : ''}`,
      ...(line === null ? [] : [`line ${formatCount(line)}`]),
      ...(columnName === null ? [] : [`column ${JSON.stringify(columnName)}`]),
      ...(step === null ? [] : [`step ${step}`]),
    ];
    return `first reject: ${places.join(', ')}: ${message} (--rejects FILE writes them all)\n`;
  }
  return '';
}
