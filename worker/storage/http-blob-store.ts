import { createHash } from 'node:crypto';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import type { WorkerBlobs } from './worker-blobs.ts';

/** One request may take this long: 64 MiB at 1 MiB a second. */
const REQUEST_TIMEOUT_MS = 64_000;
const RETRY_DELAY_MS = 100;
const RETRY_DELAY_MAX_MS = 3_000;
/** What a master or a proxy before it answers when asking again later may help. */
const TRY_AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface HttpBlobStoreOptions {
  /** Address of the master, such as http://10.0.0.7:5001. */
  readonly url: string;
  readonly token: string;
  /** How long a master that does not answer is asked again before an operation rejects. */
  readonly retryForMs?: number;
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

  constructor(options: HttpBlobStoreOptions) {
    if (!/^https?:\/\//.test(options.url)) {
      throw new SluiceError('usage', 'the master is named by an http:// or https:// URL');
    }
    this.#base = `${options.url.replace(/\/+$/, '')}/internal/blobs/`;
    this.#token = options.token;
    this.#retryForMs = options.retryForMs ?? 30_000;
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
      if (!(answer instanceof SluiceError) && !TRY_AGAIN.has(answer.status)) {
        return succeeded(request, answer);
      }
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
    try {
      const response = await fetch(this.#base + name.split('/').map(encodeURIComponent).join('/'), {
        method,
        headers: { authorization: `Bearer ${this.#token}`, ...headers },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body === undefined ? {} : { body }),
      });
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    } catch (thrown) {
      const cause =
        thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
      return this.#unavailable(cause instanceof Error ? cause.message : String(cause), thrown);
    }
  }

  #unavailable(reason: string, cause?: unknown): SluiceError {
    const { origin } = new URL(this.#base);
    const message = `the master at ${origin} does not serve its store: ${reason}`;
    return new SluiceError('master-unavailable', message, { cause, details: { master: origin } });
  }
}

function succeeded({ method, name }: Request, answer: Answer): Answer {
  if (answer.status < 300) return answer;
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
  if (name.endsWith(`/${hash}`)) return;
  throw new SluiceError('blob-corrupt', `${name} does not match its hash`, { details: { name } });
}

/** What an RFC 9457 answer says, shortened; the status alone when it says nothing. */
function problemText({ status, body }: Answer): string {
  const text = new TextDecoder().decode(body.subarray(0, 2_000));
  const detail = /"(?:detail|title)"\s*:\s*"([^"\\]{1,300})/.exec(text)?.[1];
  return detail === undefined ? `HTTP status ${status}` : `${detail} (HTTP status ${status})`;
}
