import { createHash } from 'node:crypto';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import type { WorkerBlobs } from './worker-blobs.ts';

/** A request that hears nothing for so long is given up, and made again on another connection. */
const SILENCE_MS = 12_000;
/** What a body that is sent may take in addition: a MiB a second. */
const SEND_MS_PER_BYTE = 1_000 / (1024 * 1024);
const RETRY_DELAY_MS = 100;
const RETRY_DELAY_MAX_MS = 3_000;
const PROBLEM_BYTES_MAX = 64 * 1024;
/** What a master or a proxy before it answers when asking again later may help. */
const TRY_AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface HttpBlobStoreOptions {
  /** Address of the master, such as http://10.0.0.7:5001. */
  readonly url: string;
  readonly token: string;
  /** How long a master that does not answer is asked again before an operation rejects. */
  readonly retryForMs?: number;
  /** How long a request may hear nothing before it is made again. */
  readonly silenceMs?: number;
}

interface Request {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  readonly name: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

/**
 * The master's blob store over `/internal/blobs/<name>`, for workers on other machines. Every
 * operation can be repeated, so one that meets a lost connection is, with growing pauses. Errors:
 * those of a blob store, `master-unavailable`, and `unauthorized` or `forbidden` for the token.
 */
export class HttpBlobStore implements WorkerBlobs {
  readonly #base: string;
  readonly #token: string;
  readonly #retryForMs: number;
  readonly #silenceMs: number;

  constructor(options: HttpBlobStoreOptions) {
    if (!/^https?:\/\//.test(options.url)) {
      throw new SluiceError('usage', 'the master is named by an http:// or https:// URL');
    }
    this.#base = `${options.url.replace(/\/+$/, '')}/internal/blobs/`;
    this.#token = options.token;
    this.#retryForMs = options.retryForMs ?? 30_000;
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<{ readonly created: boolean }> {
    const headers = { 'if-none-match': '*', 'content-type': 'application/octet-stream' };
    const answer = await this.#send({ method: 'PUT', name, headers, body: Buffer.concat(parts) });
    return { created: answer.status === 201 };
  }

  async get(name: string): Promise<Uint8Array> {
    const { body } = await this.#send({ method: 'GET', name });
    if (/^(chunks|lookups)\//.test(name)) verifyContent(name, body);
    return body;
  }

  async getRange(name: string, start: number, end: number): Promise<Uint8Array> {
    if (end <= start) return new Uint8Array();
    const range = `bytes=${start}-${end - 1}`;
    const answer = await this.#send({ method: 'GET', name, headers: { range } });
    return answer.status === 206 ? answer.body : answer.body.subarray(start, end);
  }

  async has(name: string): Promise<boolean> {
    try {
      await this.#send({ method: 'HEAD', name });
      return true;
    } catch (thrown) {
      if (toSluiceError(thrown).code === 'blob-missing') return false;
      throw thrown;
    }
  }

  /** An answer that says success, after as many attempts as the time allows. */
  async #send(request: Request): Promise<Answer> {
    const deadlineMs = performance.now() + this.#retryForMs;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#attempt(request);
      if (!(answer instanceof SluiceError) && !mayPass(answer)) return succeeded(request, answer);
      const pauseMs = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_MS * 2 ** attempt);
      if (performance.now() + pauseMs > deadlineMs) {
        throw answer instanceof SluiceError ? answer : this.#unavailable(problemText(answer));
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** The answer, or `master-unavailable` when there was none. */
  async #attempt(request: Request): Promise<Answer | SluiceError> {
    const { method, name, headers, body } = request;
    const silenceMs = this.#silenceMs + (body?.length ?? 0) * SEND_MS_PER_BYTE;
    const silence = new AbortController();
    const timer = setTimeout(() => {
      silence.abort(new Error(`it has said nothing for ${Math.round(silenceMs / 1000)} s`));
    }, silenceMs);
    try {
      const response = await fetch(this.#base + name.split('/').map(encodeURIComponent).join('/'), {
        method,
        headers: { authorization: `Bearer ${this.#token}`, ...headers },
        signal: silence.signal,
        ...(body === undefined ? {} : { body }),
      });
      const pieces: Uint8Array[] = [];
      const arriving = response.body as AsyncIterable<Uint8Array> | null;
      for await (const piece of arriving ?? []) {
        timer.refresh();
        pieces.push(piece);
      }
      return { status: response.status, body: Buffer.concat(pieces) };
    } catch (thrown) {
      const cause =
        thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
      return this.#unavailable(cause instanceof Error ? cause.message : String(cause), thrown);
    } finally {
      clearTimeout(timer);
    }
  }

  #unavailable(reason: string, cause?: unknown): SluiceError {
    const { origin } = new URL(this.#base);
    const message = `the master at ${origin} does not serve its store: ${reason}`;
    return new SluiceError('master-unavailable', message, { cause, details: { master: origin } });
  }
}

/** An object that is damaged stays so, however often it is asked for. */
function mayPass(answer: Answer): boolean {
  return TRY_AGAIN.has(answer.status) && problemOf(answer).code !== 'blob-corrupt';
}

function succeeded({ method, name }: Request, answer: Answer): Answer {
  if (answer.status < 300) return answer;
  if (problemOf(answer).code === 'blob-corrupt') throw corrupt(name);
  const details = { name };
  switch (answer.status) {
    case 401:
      throw new SluiceError('unauthorized', 'the master does not know this worker token');
    case 403:
      throw new SluiceError('forbidden', 'the token is not that of a worker');
    case 404:
      throw new SluiceError('blob-missing', `${name} is not stored`, { details });
    case 412:
      if (method === 'PUT') return answer;
      break;
    case 507:
      throw new SluiceError('disk-full', `no space left on the master's disk`, { details });
  }
  const message = `${method} of ${name} was refused: ${problemText(answer)}`;
  throw new SluiceError('storage-failed', message, {
    details: { ...details, status: answer.status },
  });
}

function verifyContent(name: string, bytes: Uint8Array): void {
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (!name.endsWith(`/${hash}`)) throw corrupt(name);
}

function corrupt(name: string): SluiceError {
  return new SluiceError('blob-corrupt', `${name} does not match its hash`, { details: { name } });
}

/** What an RFC 9457 answer says, shortened; the status alone when it says nothing. */
function problemText(answer: Answer): string {
  const { detail, title } = problemOf(answer);
  const text = detail ?? title;
  if (typeof text !== 'string') return `HTTP status ${answer.status}`;
  return `${text.slice(0, 300)} (HTTP status ${answer.status})`;
}

/** Empty when the answer is no problem document. */
function problemOf({ status, body }: Answer): Readonly<Record<string, unknown>> {
  if (status < 400 || body.length > PROBLEM_BYTES_MAX) return {};
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof document === 'object' && document !== null ? { ...document } : {};
  } catch {
    return {};
  }
}
