import { createHash } from 'node:crypto';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Problem } from '../../pipeline/protocol/index.ts';
import type { Address } from './jobs.ts';

/** Single calls of the tus protocol, for tests that look at each status and header. */

export interface TusAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Body of a refusal. */
  readonly problem: Problem | null;
}

export type HeaderMap = Readonly<Record<string, string>>;

export const TUS = { 'tus-resumable': '1.0.0' } as const;
export const PART = { ...TUS, 'content-type': 'application/offset+octet-stream' } as const;

export async function tusCall(
  server: Address,
  method: string,
  path: string,
  headers: HeaderMap = TUS,
  body?: Uint8Array | string,
): Promise<TusAnswer> {
  const answer = await fetch(new URL(path, server.url), {
    ...{ method, headers },
    ...(body === undefined ? {} : { body: body as RequestInit['body'] & {} }),
  });
  const text = await answer.text();
  const isProblem = answer.headers.get('content-type')?.startsWith('application/problem+json');
  const problem = isProblem === true && text !== '' ? (JSON.parse(text) as Problem) : null;
  return { status: answer.status, headers: answer.headers, problem };
}

/** A new upload's address. */
export async function createUpload(
  server: Address,
  bytes: number,
  metadata: HeaderMap = { filename: 'people.csv' },
  more: HeaderMap = {},
): Promise<string> {
  const answer = await tusCall(server, 'POST', '/api/uploads', {
    ...TUS,
    'upload-length': String(bytes),
    'upload-metadata': metadataHeader(metadata),
    ...more,
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.problem));
  return answer.headers.get('location') ?? '';
}

export function patchUpload(
  server: Address,
  upload: string,
  offset: number,
  bytes: Uint8Array | string,
  more: HeaderMap = {},
): Promise<TusAnswer> {
  const headers = { ...PART, 'upload-offset': String(offset), ...more };
  return tusCall(server, 'PATCH', upload, headers, bytes);
}

/** How far the upload came. */
export async function offsetOf(server: Address, upload: string): Promise<number> {
  const { status, headers } = await tusCall(server, 'HEAD', upload);
  if (status !== 200) throw new Error(`HEAD ${upload}: ${status}`);
  return Number(headers.get('upload-offset'));
}

export function metadataHeader(metadata: HeaderMap): string {
  return Object.entries(metadata)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

export function checksumHeader(algorithm: string, bytes: Uint8Array | string): HeaderMap {
  const digest = createHash(algorithm).update(bytes).digest('base64');
  return { 'upload-checksum': `${algorithm} ${digest}` };
}

export interface OpenPart {
  readonly request: ClientRequest;
  /** Resolves when the bytes have left this process, or the answer has come first. */
  send(bytes: Uint8Array): Promise<void>;
  readonly answer: Promise<IncomingMessage | Error>;
}

/** A PATCH whose body the test sends, holds up and cuts as it likes. */
export function openPart(
  server: Address,
  upload: string,
  offset: number,
  bytes: number,
  more: HeaderMap = {},
): OpenPart {
  const request = httpRequest(new URL(upload, server.url), {
    method: 'PATCH',
    agent: false,
    headers: {
      ...PART,
      'upload-offset': String(offset),
      'content-length': String(bytes),
      ...more,
    },
  });
  const answer = new Promise<IncomingMessage | Error>((resolve) => {
    request.on('response', (response) => {
      response.resume();
      resolve(response);
    });
    request.on('error', resolve);
  });
  const send = async (part: Uint8Array): Promise<void> => {
    const sent = new Promise<void>((resolve) => {
      request.write(part, () => resolve());
    });
    await Promise.race([sent, answer]);
  };
  return { request, send, answer };
}
