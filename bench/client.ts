import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import type { Job } from '../pipeline/protocol/index.ts';

export type UploadKind = 'raw' | 'multipart';

const READ_BYTES = 1024 * 1024;
const BOUNDARY = '----sluice-bench-7d1c0e5a';

/**
 * Uploads a file as a program does: no more of it is held than is on the way, which `fetch` does not
 * promise. Resolves with the job when the server has all of it.
 */
export async function upload(
  url: string,
  file: string,
  plan: string,
  kind: UploadKind = 'raw',
): Promise<Job> {
  const name = path.basename(file);
  const query = kind === 'raw' ? `?${new URLSearchParams({ name, plan }).toString()}` : '';
  const type = kind === 'raw' ? 'text/csv' : `multipart/form-data; boundary=${BOUNDARY}`;
  const sent = request(`${url}/api/jobs${query}`, {
    method: 'POST',
    headers: { 'content-type': type },
  });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  const body = kind === 'raw' ? read(file) : multipart(file, name, plan);
  const [[answer]] = await Promise.all([answered, pipeline(body, sent)]);
  const answerText = await text(answer);
  if (answer.statusCode !== 201) throw new Error(`${answer.statusCode}: ${answerText}`);
  return JSON.parse(answerText) as Job;
}

/** Downloads what is at `url` into a file. */
export async function download(url: string, file: string): Promise<void> {
  const asked = request(url);
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode}`);
  await pipeline(answer, createWriteStream(file));
}

function read(file: string): AsyncIterable<Buffer> {
  return createReadStream(file, { highWaterMark: READ_BYTES });
}

async function* multipart(file: string, name: string, plan: string): AsyncGenerator<Buffer> {
  const field = (about: string, value: string): string =>
    `--${BOUNDARY}\r\ncontent-disposition: form-data; ${about}\r\n\r\n${value}`;
  const named = `name="file"; filename="${name}"\r\ncontent-type: text/csv`;
  yield Buffer.from(`${field('name="plan"', plan)}\r\n${field(named, '')}`);
  yield* read(file);
  yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
}
