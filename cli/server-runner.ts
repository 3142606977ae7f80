import { LIMITS } from '../pipeline/limits.ts';
import type { Readable } from 'node:stream';
import type {
  ChunkPage,
  Job,
  Manifest,
  Profile,
  Reject,
  RejectPage,
} from '../pipeline/protocol/index.ts';
import { bodyOf, call, callJson, type Server } from './api-client.ts';
import type { JobRunner, Submission, SubmittedJob } from './job-runner.ts';
import { uploadResumable } from './resumable-upload.ts';

/** Jobs on a running server, over its HTTP API. */
export function serverRunner(server: Server): JobRunner {
  const at = (id: string, rest = ''): string => `/api/jobs/${encodeURIComponent(id)}${rest}`;
  const follow = async (id: string, signal: AbortSignal): Promise<Readable> =>
    bodyOf(await call(server, at(id, '/result?follow=1'), { signal }));
  return {
    submit: (request, signal) => submit(server, request, signal),
    job: (id) => callJson<Job>(server, at(id)),
    follow,
    lend: follow,
    rejects: (id) => rejectsOf(server, at(id, '/rejects')),
    chunks: (id, cursor) => {
      const from = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      return callJson<ChunkPage>(server, at(id, `/chunks?limit=${LIMITS.pageRecordsMax}${from}`));
    },
    profile: (id) => callJson<Profile>(server, at(id, '/profile')),
    manifest: (id) => callJson<Manifest>(server, at(id, '/manifest')),
    cancel: async (id) => {
      await call(server, at(id, '/cancel'), { method: 'POST' });
    },
    close: () => Promise.resolve(),
  };
}

/** The answer comes when the server has the whole input. */
async function submit(
  server: Server,
  request: Submission,
  signal: AbortSignal,
): Promise<SubmittedJob> {
  const job = await uploadResumable(server, request, signal);
  return { id: job.id, received: Promise.resolve(job) };
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
