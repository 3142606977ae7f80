import type {
  Column,
  ChunkPage,
  Job,
  JobPage,
  JobStatus,
  PlanCheckAnswer,
  Profile,
  RecordPage,
  RejectPage,
  SniffAnswer,
  StoredLookup,
  WorkerList,
} from '../../../pipeline/protocol/index.ts';
import { ProblemError, UNREACHABLE, problemFrom } from './problem.ts';
import { needsSignIn } from './session.ts';

/** The calls of the HTTP API that the dashboard makes. All throw ProblemError. */

export type JobAction = 'cancel' | 'pause' | 'resume' | 'retry';
export type ResultPart = 'result' | 'rejects' | 'profile' | 'manifest';

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new ProblemError(UNREACHABLE);
  }
  if (response.ok) return response;
  if (response.status === 401) needsSignIn.value = true;
  const text = await response.text();
  throw new ProblemError(problemFrom(response.status, response.statusText, text));
}

async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { headers: { accept: 'application/json' } };
  if (signal !== undefined) init.signal = signal;
  return (await (await call(path, init)).json()) as T;
}

function query(values: Readonly<Record<string, string | number | null | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

const jobPath = (id: string) => `/api/jobs/${encodeURIComponent(id)}`;

export interface JobFilter {
  readonly status?: JobStatus | null;
  readonly q?: string;
  readonly cursor?: string | null;
  readonly limit?: number;
}

export function listJobs(filter: JobFilter, signal?: AbortSignal): Promise<JobPage> {
  return getJson(`/api/jobs${query({ ...filter })}`, signal);
}

export function getJob(id: string, signal?: AbortSignal): Promise<Job> {
  return getJson(jobPath(id), signal);
}

export function getChunks(id: string, cursor: string | null, limit: number): Promise<ChunkPage> {
  return getJson(`${jobPath(id)}/chunks${query({ cursor, limit })}`);
}

export function getRecords(id: string, offset: number, limit: number): Promise<RecordPage> {
  return getJson(`${jobPath(id)}/records${query({ offset, limit })}`);
}

export function getRejects(id: string, offset: number, limit: number): Promise<RejectPage> {
  return getJson(`${jobPath(id)}/rejects${query({ offset, limit })}`);
}

export function getProfile(id: string): Promise<Profile> {
  return getJson(`${jobPath(id)}/profile`);
}

export function getWorkers(): Promise<WorkerList> {
  return getJson('/api/workers');
}

export interface NewJob {
  readonly name: string;
  /** YAML or JSON; '' for the plain job. */
  readonly plan: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Files that the plan joins to, as NAME=KEY. */
  readonly lookups: readonly string[];
}

/** A job that waits for its upload. The key makes the call repeatable. */
export async function createJob(job: NewJob, idempotencyKey: string): Promise<Job> {
  const init: RequestInit = {
    method: 'POST',
    body: JSON.stringify(job),
    headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
  };
  return (await (await call('/api/jobs', init)).json()) as Job;
}

/** Stores a file that a plan joins to; `key` is how the job refers to it. */
export async function storeLookup(name: string, file: File): Promise<StoredLookup> {
  const query = new URLSearchParams({ name });
  const answer = await call(`/api/lookups?${query}`, { method: 'POST', body: file });
  return (await answer.json()) as StoredLookup;
}

export async function actOnJob(id: string, action: JobAction): Promise<Job> {
  return (await (await call(`${jobPath(id)}/${action}`, { method: 'POST' })).json()) as Job;
}

export async function deleteJob(id: string): Promise<void> {
  await call(jobPath(id), { method: 'DELETE' });
}

/** `sample`: the first bytes of a file; `complete` when that is the whole file. */
export async function sniff(
  sample: Blob,
  plan: string,
  complete: boolean,
  signal?: AbortSignal,
): Promise<SniffAnswer> {
  const init: RequestInit = {
    method: 'POST',
    body: sample,
    headers: { 'content-type': 'application/octet-stream' },
  };
  if (signal !== undefined) init.signal = signal;
  const path = `/api/sniff${query({ plan, complete: complete ? 'true' : 'false' })}`;
  return (await (await call(path, init)).json()) as SniffAnswer;
}

/** Columns, when given, let the server check the names that a plan uses. */
export async function checkPlan(
  plan: string,
  columns: readonly Column[] | null,
  signal?: AbortSignal,
): Promise<PlanCheckAnswer> {
  const init: RequestInit = {
    method: 'POST',
    body: JSON.stringify(columns === null ? { plan } : { plan, columns }),
    headers: { 'content-type': 'application/json' },
  };
  if (signal !== undefined) init.signal = signal;
  return (await (await call('/api/plans/check', init)).json()) as PlanCheckAnswer;
}

/** Address for a download link; `format` only for rejects (`csv`). */
export function downloadUrl(id: string, part: ResultPart, format?: string): string {
  return `${jobPath(id)}/${part}${query({ format })}`;
}
