import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { FINAL_STATUSES } from '../../pipeline/protocol/index.ts';
import type { Job, JobPage, Manifest, Problem, WorkerInfo } from '../../pipeline/protocol/index.ts';
import type { WorkerList } from '../../pipeline/protocol/index.ts';

/** Where a server answers. */
export interface Address {
  readonly url: string;
}

export interface UploadOptions {
  /** Shown name of the job; also how `jobNamed` finds it. */
  readonly name: string;
  /** YAML or JSON text. */
  readonly plan?: string;
  readonly contentType?: string;
}

export type UploadAnswer =
  | { readonly status: 201; readonly job: Job }
  | { readonly status: number; readonly problem: Problem };

/** Longer than anything takes on a loaded machine; a test that meets it has failed. */
const PATIENCE = { timeout: 60_000, interval: 25 };

/** Resolves when `condition` no longer throws, with what it gave. */
export function eventually<T>(condition: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(condition, PATIENCE);
}

export async function getJson<T>(server: Address, route: string): Promise<T> {
  const answer = await fetch(`${server.url}${route}`);
  if (!answer.ok) throw new Error(`${route}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** POSTs a body, which may be paced by the caller; gives the job, or the problem. */
export async function send(
  server: Address,
  body: Uint8Array | string | Blob | AsyncIterable<Uint8Array>,
  { name, plan, contentType }: UploadOptions,
): Promise<UploadAnswer> {
  const query = new URLSearchParams({ name, ...(plan === undefined ? {} : { plan }) });
  const answer = await fetch(`${server.url}/api/jobs?${query.toString()}`, {
    method: 'POST',
    headers: { 'content-type': contentType ?? 'text/csv' },
    body: body as RequestInit['body'] & {},
    duplex: 'half',
  });
  const document: unknown = await answer.json();
  return answer.status === 201
    ? { status: 201, job: document as Job }
    : { status: answer.status, problem: document as Problem };
}

/** Uploads, and waits for the job's end. Throws when the upload was refused. */
export async function run(
  server: Address,
  body: Parameters<typeof send>[1],
  options: UploadOptions,
): Promise<Job> {
  const answer = await send(server, body, options);
  if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
  return await ended(server, answer.job.id);
}

/** The job once it is in a final status. */
export function ended(server: Address, id: string): Promise<Job> {
  return eventually(async () => {
    const job = await getJson<Job>(server, `/api/jobs/${id}`);
    if (!FINAL_STATUSES.includes(job.status)) throw new Error(`the job is still ${job.status}`);
    return job;
  });
}

/** The newest job of that name; waits until there is one. */
export function jobNamed(server: Address, name: string): Promise<Job> {
  return eventually(async () => {
    const { jobs } = await getJson<JobPage>(server, `/api/jobs?q=${encodeURIComponent(name)}`);
    const job = jobs.find((one) => one.name === name);
    if (job === undefined) throw new Error(`there is no job named ${name}`);
    return job;
  });
}

export async function workersOf(server: Address): Promise<WorkerInfo[]> {
  return (await getJson<WorkerList>(server, '/api/workers')).workers;
}

export interface Download {
  readonly bytes: number;
  readonly sha256: string;
}

/** Downloads the result, without keeping it. */
export async function download(server: Address, id: string): Promise<Download> {
  const answer = await fetch(`${server.url}/api/jobs/${id}/result`);
  expect(answer.status).toBe(200);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

export async function resultText(server: Address, id: string): Promise<string> {
  const answer = await fetch(`${server.url}/api/jobs/${id}/result`);
  expect(answer.status).toBe(200);
  return await answer.text();
}

/** Checks that every record is accounted for: in each chunk, over all chunks, and in the job. */
export async function expectAccount(server: Address, job: Job): Promise<Manifest> {
  const manifest = await getJson<Manifest>(server, `/api/jobs/${job.id}/manifest`);
  expect(manifest.balanced).toBe(true);
  let recordsIn = 0;
  for (const chunk of manifest.chunks) {
    expect(chunk.recordsIn).toBe(answeredFor(chunk));
    // Later waves take what the first one put out.
    if (chunk.wave === 0) recordsIn += chunk.recordsIn;
  }
  expect(recordsIn).toBe(job.recordsIn);
  expect(job.recordsIn).toBe(answeredFor(job));
  return manifest;
}

function answeredFor(counts: {
  recordsOut: number;
  rejected: number;
  filtered: number;
  deduplicated: number;
  aggregated: number;
}): number {
  const { recordsOut, rejected, filtered, deduplicated, aggregated } = counts;
  return recordsOut + rejected + filtered + deduplicated + aggregated;
}

/** Something to do when a share of a file has been sent, before the rest is. */
export interface Gate {
  /** 0 to 1. */
  readonly at: number;
  pass(): Promise<void>;
}

/** A file's bytes, held up at each gate in turn: the upload's progress is the test's own doing. */
export async function* paced(file: string, gates: readonly Gate[]): AsyncGenerator<Uint8Array> {
  const total = statSync(file).size;
  const left = [...gates].sort((a, b) => a.at - b.at);
  let sent = 0;
  for await (const part of createReadStream(file, { highWaterMark: 1 << 18 })) {
    while (left[0] !== undefined && sent >= left[0].at * total) await left.shift()?.pass();
    yield part as Buffer;
    sent += (part as Buffer).length;
  }
  for (const gate of left) await gate.pass();
}
