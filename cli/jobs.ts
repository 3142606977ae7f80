import type { Job, JobPage } from '../pipeline/protocol/index.ts';
import { callJson } from './api-client.ts';
import { serverFrom, type ServerFlags } from './config.ts';
import { EXIT, type ExitCode } from './failure.ts';
import { formatBytes, formatCount } from './figures.ts';
import { renderTable, type TableColumn } from './table.ts';

export interface JobsFlags extends ServerFlags {
  readonly status?: string;
  readonly json?: boolean;
}

/** `sluice jobs`: the newest jobs of a server. */
export async function jobs(flags: JobsFlags): Promise<ExitCode> {
  const query = flags.status === undefined ? '' : `?status=${encodeURIComponent(flags.status)}`;
  const page = await callJson<JobPage>(serverFrom(flags), `/api/jobs${query}`);
  const text = flags.json === true ? JSON.stringify(page, null, 2) : renderJobs(page.jobs);
  process.stdout.write(`${text}\n`);
  return EXIT.done;
}

const COLUMNS: readonly TableColumn[] = [
  { title: 'id' },
  { title: 'name' },
  { title: 'status' },
  { title: 'bytes', align: 'right' },
  { title: 'records in', align: 'right' },
  { title: 'out', align: 'right' },
  { title: 'rejected', align: 'right' },
  { title: 'created' },
];

function renderJobs(list: readonly Job[]): string {
  if (list.length === 0) return 'no jobs';
  const records = list.map((job) => [
    job.id,
    job.name,
    job.status,
    formatBytes(job.bytesReceived),
    formatCount(job.recordsIn),
    formatCount(job.resultRecords),
    formatCount(job.rejected),
    job.createdAt,
  ]);
  return renderTable(COLUMNS, records);
}
