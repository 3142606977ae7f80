import type { IncomingHttpHeaders } from 'node:http';
import { Type } from 'typebox';
import type { UnmarkedCompression } from '../../pipeline/dialect/compression.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { ReceiveRequest } from '../service.ts';
import { displayName } from './display-name.ts';
import { uploadTooLarge } from './upload-body.ts';

/** What a client says about its upload beside the bytes. */

export type FormatHint = ReceiveRequest['formatHint'];

const HINT_OF_TYPE: Readonly<Record<string, FormatHint>> = {
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'application/json': 'json',
};

const HINT_OF_EXTENSION: Readonly<Record<string, FormatHint>> = {
  csv: 'csv',
  tsv: 'csv',
  tab: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
};

/** Content-Type first; where it says nothing of the format, the name's extension. */
export function formatHint(contentType: string | undefined, name: string): FormatHint {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const ofType = Object.hasOwn(HINT_OF_TYPE, type) ? HINT_OF_TYPE[type] : undefined;
  if (ofType !== undefined) return ofType;
  const bare = name.toLowerCase().replace(/\.(gz|zst|br|zip|deflate)$/, '');
  const extension = bare.slice(bare.lastIndexOf('.') + 1);
  return Object.hasOwn(HINT_OF_EXTENSION, extension)
    ? (HINT_OF_EXTENSION[extension] ?? null)
    : null;
}

export const ContentEncoding = Type.Optional(
  Type.String({
    description:
      '`br` or `deflate` where the plan states no compression; `gzip` and `zstd` are known by the bytes',
  }),
);

/** Content-Encoding, of codings that no bytes tell: gzip and zstd are known by theirs. */
export function compressionHint(headers: IncomingHttpHeaders): UnmarkedCompression | null {
  const coding = headers['content-encoding']?.trim().toLowerCase();
  if (coding === 'br') return 'brotli';
  return coding === 'deflate' ? 'deflate' : null;
}

/** Name to show; without one, `input` with the format's extension. */
export function uploadName(given: string | undefined, hint: FormatHint): string {
  return displayName(given, `input.${hint ?? 'csv'}`);
}

/** The plan of a raw upload: `?plan=`, or the header X-Sluice-Plan in percent-encoded UTF-8. */
export function planOfRequest(query: string | undefined, headers: IncomingHttpHeaders): string {
  const header = headers['x-sluice-plan'];
  if (header === undefined) return checkedPlan(query ?? '');
  if (query !== undefined || Array.isArray(header)) {
    throw new SluiceError('bad-request', 'the plan is given twice');
  }
  try {
    return checkedPlan(decodeURIComponent(header));
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new SluiceError('bad-request', 'X-Sluice-Plan is not percent-encoded UTF-8', {
      cause: error,
    });
  }
}

export function checkedPlan(plan: string): string {
  if (Buffer.byteLength(plan) <= LIMITS.planBytesMax) return plan;
  throw new SluiceError('limit-exceeded', 'the plan is too long', {
    details: { bytesMax: LIMITS.planBytesMax },
  });
}

/** A key of 1 to 255 visible ASCII characters, or null. */
export function idempotencyKey(headers: IncomingHttpHeaders): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new SluiceError('bad-request', 'Idempotency-Key needs 1 to 255 visible ASCII characters');
}

/** Content-Length of a raw body; null when chunked. Throws `limit-exceeded`. */
export function declaredBytes(headers: IncomingHttpHeaders): number | null {
  const text = headers['content-length'];
  if (text === undefined) return null;
  const bytes = Number(text);
  if (bytes > LIMITS.uploadBytesMax) throw uploadTooLarge();
  return bytes;
}

/** The lookups of a raw upload: `?lookup=NAME=KEY`, with the key that POST /api/lookups gave. */
export function lookupsOfQuery(
  given: string | readonly string[] | undefined,
): NonNullable<ReceiveRequest['lookups']> {
  const texts = given === undefined ? [] : [given].flat();
  return texts.map((text) => {
    const at = text.lastIndexOf('=');
    const key = text.slice(at + 1);
    if (at > 0 && /^(?:pieces-)?[0-9a-f]{64}$/.test(key)) return { name: text.slice(0, at), key };
    throw new SluiceError('bad-request', 'lookup is NAME=KEY, with the key of POST /api/lookups', {
      details: { lookup: text.slice(0, 100) },
    });
  });
}
