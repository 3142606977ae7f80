import type { Job } from '../pipeline/protocol/index.ts';
import { callJson } from './api-client.ts';
import { serverFrom, type ServerFlags } from './config.ts';
import { EXIT, type ExitCode } from './failure.ts';
import { formatBytes, formatCount } from './figures.ts';

export interface JobFlags extends ServerFlags {
  readonly json?: boolean;
}

/** `sluice job ID`: one job of a server. */
export async function job(id: string, flags: JobFlags): Promise<ExitCode> {
  const found = await callJson<Job>(serverFrom(flags), `/api/jobs/${encodeURIComponent(id)}`);
  printJob(found, flags.json === true);
  return EXIT.done;
}

export function printJob(found: Job, json: boolean): void {
  process.stdout.write(`${json ? JSON.stringify(found, null, 2) : renderJob(found)}\n`);
}

function renderJob(found: Job): string {
  const { queued, running, done, reused, failed } = found.chunks;
  const total = found.bytesTotal === null ? '' : ` of ${formatBytes(found.bytesTotal)}`;
  const facts: [string, string][] = [
    ['id', found.id],
    ['name', found.name],
    ['status', found.status],
    ['created', found.createdAt],
    ['updated', found.updatedAt],
    ['received', `${formatBytes(found.bytesReceived)}${total}`],
    ['processed', formatBytes(found.bytesProcessed)],
    [
      'chunks',
      `${queued} queued, ${running} running, ${done} done, ${reused} reused, ${failed} failed`,
    ],
    ['records', `${formatCount(found.recordsIn)} in, ${formatCount(found.recordsOut)} out`],
    ['rejected', rejectedText(found)],
    ['filtered', formatCount(found.filtered)],
    ['aggregated', formatCount(found.aggregated)],
    ...lostRecords(found),
    ['result', `${formatCount(found.resultRecords)} records, ${formatBytes(found.resultBytes)}`],
  ];
  for (const { check, records } of found.warned) {
    facts.push(['check', `${JSON.stringify(check)} not met by ${formatCount(records)} records`]);
  }
  if (found.error !== null) facts.push(['error', `${found.error.message} (${found.error.code})`]);
  return facts.map(([name, value]) => `${name.padEnd(12)}${value}`).join('\n');
}

function rejectedText({ rejected, derivedRejected }: Job): string {
  const derived = derivedRejected === 0 ? '' : `, ${formatCount(derivedRejected)} groups or joined`;
  return `${formatCount(rejected)}${derived}`;
}

function lostRecords({ failed }: Job): [string, string][] {
  return failed === 0 ? [] : [['failed', `${formatCount(failed)} records, in failed chunks`]];
}
