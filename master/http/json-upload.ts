import { Readable } from 'node:stream';
import { LIMITS } from '../../pipeline/limits.ts';

/**
 * `POST /api/jobs` with `application/json` is either data or the request for a resumable upload.
 * It is the latter only when the whole body is one object with `name` (text) and `plan` (text or
 * object), perhaps `size` (bytes) and `lookups` (texts), and nothing else; anything else is data. So is everything when
 * the URL or a header speaks about the data (`?format=`, `?name=`, `?plan=`, X-Sluice-Plan).
 */
export type JsonUpload =
  | { readonly kind: 'data'; readonly body: Readable }
  | { readonly kind: 'resumable'; readonly request: ResumableRequest };

export interface ResumableRequest {
  readonly name: string;
  /** YAML or JSON text. */
  readonly plan: string;
  /** Bytes of the file; null when left out. */
  readonly size: number | null;
  /** Files that the plan joins to, as NAME=KEY. */
  readonly lookups: readonly string[];
}

/** A plan, its escapes, and the rest of the object with its lookups. */
const REQUEST_BYTES_MAX = 2 * LIMITS.planBytesMax + 32_768;
const REQUEST_KEYS = new Set(['name', 'plan', 'size', 'lookups']);

/** Looks at the first bytes; the answer's body still gives all of them. */
export async function classifyJson(body: Readable): Promise<JsonUpload> {
  const head: Buffer[] = [];
  let bytes = 0;
  let ended = true;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    head.push(chunk);
    bytes += chunk.length;
    if (bytes > REQUEST_BYTES_MAX || !mayBeObject(head)) {
      ended = false;
      break;
    }
  }
  const request = ended ? resumableRequest(Buffer.concat(head)) : null;
  if (request !== null) return { kind: 'resumable', request };
  return { kind: 'data', body: Readable.from(joined(head, body), { objectMode: false }) };
}

async function* joined(head: readonly Buffer[], rest: Readable): AsyncGenerator<Buffer> {
  yield* head;
  if (!rest.readableEnded) yield* rest as AsyncIterable<Buffer>;
}

/** False once the first character that is not white space is no opening brace. */
function mayBeObject(head: readonly Buffer[]): boolean {
  for (const chunk of head) {
    const first = chunk.find((byte) => byte > 0x20);
    if (first !== undefined) return first === 0x7b;
  }
  return true;
}

function resumableRequest(bytes: Buffer): ResumableRequest | null {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null; // Not one JSON document, so it is data; its reader says what is wrong with it.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { name, plan, size, lookups = [] } = value as Readonly<Record<string, unknown>>;
  const fits =
    Object.keys(value).every((key) => REQUEST_KEYS.has(key)) &&
    typeof name === 'string' &&
    (typeof plan === 'string' || (typeof plan === 'object' && plan !== null)) &&
    (size === undefined || isByteCount(size)) &&
    isTextList(lookups);
  if (!fits) return null;
  return {
    name,
    plan: typeof plan === 'string' ? plan : JSON.stringify(plan),
    size: size === undefined ? null : size,
    lookups,
  };
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isByteCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
