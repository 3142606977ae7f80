import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { SluiceError } from '../../../pipeline/errors.ts';
import type { PartChecksum } from '../../service.ts';

/** What a tus request says in its headers, beyond what @tus/server reads. */

export const TUS_VERSION = '1.0.0';
export const PART_TYPE = 'application/offset+octet-stream';
/** sha1 is required of a server; Node's OpenSSL may lack one in a restricted build. */
export const CHECKSUM_ALGORITHMS = ['sha1', 'sha256', 'sha512', 'md5'];

/** A refusal with a status that its code does not have elsewhere. */
export interface TusRefusal {
  readonly error: SluiceError;
  readonly status: number;
}

const OVERRIDES = ['HEAD', 'PATCH', 'DELETE'];

/** The method that counts: X-HTTP-Method-Override says it where only POST gets through. */
export function methodOf({ method = '', headers }: IncomingMessage): string {
  const override = String(headers['x-http-method-override']).toUpperCase();
  return method === 'POST' && OVERRIDES.includes(override) ? override : method;
}

/** What the protocol wants refused before anything is looked at; null when there is nothing. */
export function refusalOf(
  method: string,
  { headers }: IncomingMessage,
  id: string | undefined,
): TusRefusal | null {
  const refuse = (status: number, message: string): TusRefusal => ({
    status,
    error: new SluiceError('bad-request', message),
  });
  if (method === 'OPTIONS') return null;
  if (headers['tus-resumable'] !== TUS_VERSION) {
    return refuse(412, `the header Tus-Resumable has to be ${TUS_VERSION}`);
  }
  if (headers['upload-concat'] !== undefined) {
    return refuse(400, 'Upload-Concat is not supported: upload the file in one row of parts');
  }
  if (method === 'POST' && id !== undefined) {
    return refuse(405, `name the method in X-HTTP-Method-Override: ${OVERRIDES.join(', ')}`);
  }
  if (method !== 'PATCH') return null;
  if (headers['content-type'] !== PART_TYPE) {
    return refuse(415, `a part has the Content-Type ${PART_TYPE}`);
  }
  if (headers['upload-offset'] === undefined) return refuse(400, 'Upload-Offset is missing');
  return null;
}

/** `Upload-Checksum: <algorithm> <base64>`; null without one. Throws `bad-request`. */
export function checksumOf({ headers }: IncomingMessage): PartChecksum | null {
  const header = headers['upload-checksum'];
  if (header === undefined) return null;
  const [algorithm = '', digest = '', ...rest] = String(header).split(' ');
  if (!CHECKSUM_ALGORITHMS.includes(algorithm)) {
    throw new SluiceError('bad-request', `no checksum by ${JSON.stringify(algorithm)}`, {
      details: { expected: CHECKSUM_ALGORITHMS },
    });
  }
  const bytes = Buffer.from(digest, 'base64');
  const { length } = createHash(algorithm).digest();
  if (rest.length > 0 || bytes.length !== length) {
    throw new SluiceError(
      'bad-request',
      `Upload-Checksum has to be "${algorithm} <base64>" of ${length} bytes`,
    );
  }
  return { algorithm, digest: bytes };
}

/** The head of the request as @tus/server takes it. The body goes past it: see `UploadStore.write`. */
export function webRequest(raw: IncomingMessage, method: string): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw.headers)) {
    if (value !== undefined) headers.set(name, [value].flat().join(', '));
  }
  return new Request(`http://localhost${raw.url ?? '/'}`, { method, headers });
}
