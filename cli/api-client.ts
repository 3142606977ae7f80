import { Readable } from 'node:stream';
import { ERROR_CODES, SluiceError, type ErrorCode } from '../pipeline/errors.ts';

export interface Server {
  readonly url: string;
  /** Bearer token; null when the server needs none. */
  readonly token: string | null;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable;
  readonly signal?: AbortSignal;
}

/** One call of the API. Errors: what the server's problem document says, or `master-unavailable`. */
export async function call(
  server: Server,
  path: string,
  request: ApiRequest = {},
): Promise<Response> {
  const { method = 'GET', headers = {}, body, signal } = request;
  const authorization = server.token === null ? {} : { authorization: `Bearer ${server.token}` };
  const init: RequestInit = {
    method,
    headers: { ...headers, ...authorization },
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined ? {} : { body: Readable.toWeb(body), duplex: 'half' as const }),
  };
  let response: Response;
  try {
    response = await fetch(new URL(path, server.url), init);
  } catch (error) {
    if (signal?.aborted === true) throw new SluiceError('aborted', 'interrupted', { cause: error });
    throw new SluiceError('master-unavailable', unreachable(server, error), { cause: error });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function callJson<T>(server: Server, path: string, request?: ApiRequest): Promise<T> {
  const response = await call(server, path, request);
  return (await response.json()) as T;
}

/** The body of an answer as a Node stream. */
export function bodyOf(response: Response): Readable {
  if (response.body === null) return Readable.from([]);
  return Readable.fromWeb(response.body);
}

async function problemOf(response: Response): Promise<SluiceError> {
  const text = await response.text();
  if (text === '') return new SluiceError(...codeOfStatus(response));
  try {
    const problem = JSON.parse(text) as { code?: unknown; detail?: unknown; details?: unknown };
    const code = typeof problem.code === 'string' ? problem.code : '';
    const detail = typeof problem.detail === 'string' ? problem.detail : text;
    return new SluiceError(isErrorCode(code) ? code : 'internal', detail, {
      details: (problem.details ?? {}) as Record<string, unknown>,
    });
  } catch {
    return new SluiceError('master-unavailable', `the server answered ${response.status}: ${text}`);
  }
}

/** Of an answer without a body, such as that of HEAD. */
function codeOfStatus({ status }: Response): [ErrorCode, string] {
  const code = STATUS_CODES_KNOWN[status] ?? 'master-unavailable';
  return [code, `the server answered ${status}`];
}

const STATUS_CODES_KNOWN: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  410: 'upload-over',
};

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

function unreachable(server: Server, error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = (cause as { code?: unknown } | undefined)?.code;
  const reason = typeof code === 'string' ? code : error instanceof Error ? error.message : '';
  return (
    `no Sluice server answers at ${server.url} (${reason}): start one with "sluice serve", ` +
    'or name another with --server URL'
  );
}
