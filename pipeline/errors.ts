/**
 * The one error class of Sluice and the one table of its codes.
 *
 * Three kinds, told apart by `kind`: `input` (the user's bytes or plan; says where), `operational`
 * (broker, disk, network; says whether a retry can help), `programmer` (a broken invariant).
 */

export type ErrorKind = 'input' | 'operational' | 'programmer';

interface ErrorCodeEntry {
  readonly kind: ErrorKind;
  /** HTTP status of the RFC 9457 answer. */
  readonly status: number;
  /** Whether doing the same again may succeed. */
  readonly retryable: boolean;
  readonly title: string;
}

const input = (status: number, title: string): ErrorCodeEntry => ({
  kind: 'input',
  status,
  retryable: false,
  title,
});
const operational = (status: number, title: string, retryable = true): ErrorCodeEntry => ({
  kind: 'operational',
  status,
  retryable,
  title,
});

export const ERROR_CODES = {
  'bad-request': input(400, 'The request is not valid'),
  'empty-input': input(400, 'The input is empty'),
  'plan-invalid': input(422, 'The plan is not valid'),
  'plan-unsupported': input(422, 'The plan uses a feature that is not supported yet'),
  'input-format': input(415, 'The input is not a format Sluice reads'),
  'input-encoding': input(422, 'The input is not in the stated encoding'),
  'input-compression': input(422, 'The compressed input cannot be read'),
  'input-malformed': input(422, 'The input cannot be read'),
  'input-truncated': input(400, 'The upload ended before the input was complete'),
  'upload-expired': input(410, 'The upload was given up, because its client was silent'),
  'upload-over': input(410, 'The upload takes no more bytes'),
  'upload-locked': operational(423, 'Another request works on the upload'),
  'checksum-mismatch': input(460, 'The bytes do not match their checksum'),
  'input-changed': input(422, 'A repeated Idempotency-Key came with another request'),
  'limit-exceeded': input(413, 'The input exceeds a limit'),
  'rejects-over-budget': input(422, 'More records were rejected than the plan allows'),
  'group-limit': input(422, 'The aggregation has too many groups'),
  'not-found': input(404, 'Not found'),
  conflict: input(409, 'Not possible in the current state'),
  'range-not-satisfiable': input(416, 'The requested range is not available'),
  unauthorized: input(401, 'A valid token is needed'),
  forbidden: input(403, 'The token does not allow this'),
  'rate-limited': operational(429, 'Too many requests'),
  usage: input(400, 'Wrong usage'),
  'blob-missing': operational(503, 'A stored object is missing'),
  'blob-corrupt': operational(503, 'A stored object does not match its hash'),
  'input-damaged': operational(503, 'A part of the stored input is lost or damaged', false),
  'disk-full': operational(507, 'No space left on the disk'),
  'storage-failed': operational(503, 'The storage failed'),
  'broker-unavailable': operational(503, 'The message broker cannot be reached'),
  'master-unavailable': operational(503, 'The master cannot be reached'),
  'engine-mismatch': operational(503, 'The worker is of another version than the master'),
  'no-workers': operational(503, 'No worker is connected'),
  'chunk-failed': operational(500, 'A chunk failed on every attempt', false),
  aborted: operational(499, 'The work was aborted', false),
  closing: operational(503, 'The process is shutting down'),
  internal: { kind: 'programmer', status: 500, retryable: false, title: 'Internal error' },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface SluiceErrorOptions {
  readonly cause?: unknown;
  /** Structured facts for the reader: positions, sizes, names. Plain JSON. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The only error class that Sluice throws on purpose. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.details = options.details ?? {};
  }

  get kind(): ErrorKind {
    return ERROR_CODES[this.code].kind;
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

/** Error as plain JSON, for job and chunk documents. */
export interface ErrorDocument {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Crashes on a broken assumption of the programmer. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new SluiceError('internal', `invariant: ${message}`);
}

/** Any thrown value as a SluiceError; unknown ones become `internal`, with the original as cause. */
export function toSluiceError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const code = systemErrorCode(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(code, message, { cause: thrown });
}

/** The error without stack or cause. */
export function errorDocument(thrown: unknown): ErrorDocument {
  const error = toSluiceError(thrown);
  return { code: error.code, message: error.message, details: error.details };
}

function systemErrorCode(thrown: unknown): ErrorCode {
  const code: unknown = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'disk-full';
  if (code === 'ABORT_ERR') return 'aborted';
  if (typeof code === 'string' && /^E(IO|ACCES|PERM|ROFS|MFILE|NFILE|BUSY)$/.test(code)) {
    return 'storage-failed';
  }
  return 'internal';
}
