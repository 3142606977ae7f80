import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { LIMITS } from '../pipeline/limits.ts';
import type { Job, Manifest, Profile, Reject, RejectPage } from '../pipeline/protocol/index.ts';
import { bodyOf, call, callJson, type Server } from './api-client.ts';
import type { InputSource } from './input-source.ts';
import type { LookupSource } from './lookup-source.ts';
import type { JobRunner, Submission, SubmittedJob } from './job-runner.ts';

const CONTENT_TYPES = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  json: 'application/json',
} as const;

/** Jobs on a running server, over its HTTP API. */
export function serverRunner(server: Server): JobRunner {
  const at = (id: string, rest = ''): string => `/api/jobs/${encodeURIComponent(id)}${rest}`;
  return {
    submit: (request, signal) => submit(server, request, signal),
    job: (id) => callJson<Job>(server, at(id)),
    follow: async (id, signal) =>
      bodyOf(await call(server, at(id, '/result?follow=1'), { signal })),
    rejects: (id) => rejectsOf(server, at(id, '/rejects')),
    profile: (id) => callJson<Profile>(server, at(id, '/profile')),
    manifest: (id) => callJson<Manifest>(server, at(id, '/manifest')),
    cancel: async (id) => {
      await call(server, at(id, '/cancel'), { method: 'POST' });
    },
    close: () => Promise.resolve(),
  };
}

/**
 * Uploads the body as it is read; the answer comes when the server has all of it. A plan goes as a
 * part of a form before the file, since addresses and headers have no room for a long one.
 */
async function submit(
  server: Server,
  { input, plan, lookups, onBytes }: Submission,
  signal: AbortSignal,
): Promise<SubmittedJob> {
  const body = counted(input.open(), onBytes);
  const boundary = `sluice-${randomUUID()}`;
  const query = new URLSearchParams({ name: input.name });
  const job = await callJson<Job>(server, `/api/jobs?${query.toString()}`, {
    method: 'POST',
    headers: {
      'content-type':
        plan === '' ? contentTypeOf(input) : `multipart/form-data; boundary=${boundary}`,
    },
    body: plan === '' ? body : Readable.from(formOf(boundary, { input, plan, lookups, body })),
    signal,
  });
  return { id: job.id, received: Promise.resolve(job) };
}

interface Form {
  readonly input: InputSource;
  readonly plan: string;
  readonly lookups: readonly LookupSource[];
  readonly body: Readable;
}

async function* formOf(boundary: string, form: Form): AsyncGenerator<Buffer> {
  const { input, plan, lookups, body } = form;
  const part = (name: string, rest: string): string =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${rest}\r\n\r\n`;
  // RFC 7578 has no escapes worth the name: whatever could end the header goes percent-encoded.
  const fileHead = (name: string, type: string): string =>
    `; filename="${name.replaceAll(/["\r\n%]/g, encodeURIComponent)}"\r\ncontent-type: ${type}`;
  yield Buffer.from(`${part('plan', '')}${plan}\r\n${part('name', '')}${input.name}\r\n`);
  for (const { name, path } of lookups) {
    yield Buffer.from(part('lookup', fileHead(name, 'application/octet-stream')));
    yield* createReadStream(path) as AsyncIterable<Buffer>;
    yield Buffer.from('\r\n');
  }
  yield Buffer.from(part('file', fileHead(input.name, contentTypeOf(input))));
  yield* body as AsyncIterable<Buffer>;
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}

function contentTypeOf(input: InputSource): string {
  return input.formatHint === null ? 'application/octet-stream' : CONTENT_TYPES[input.formatHint];
}

function counted(body: Readable, onBytes: (bytes: number) => void): Readable {
  let bytes = 0;
  const counter = new Transform({
    transform(buffer: Buffer, _encoding, done) {
      bytes += buffer.length;
      onBytes(bytes);
      done(null, buffer);
    },
  });
  body.on('error', (error) => counter.destroy(error));
  return body.pipe(counter);
}

async function* rejectsOf(server: Server, path: string): AsyncGenerator<Reject> {
  for (let offset = 0; ;) {
    const query = `offset=${offset}&limit=${LIMITS.pageRecordsMax}`;
    const page = await callJson<RejectPage>(server, `${path}?${query}`);
    yield* page.rejects;
    offset += page.rejects.length;
    if (page.rejects.length === 0 || offset >= page.available) return;
  }
}
