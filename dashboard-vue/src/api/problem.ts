import type { JobError, Problem } from '../../../pipeline/protocol/index.ts';

/** What a failed call threw: the server's RFC 9457 answer, or one made here when none came. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.name = 'ProblemError';
    this.problem = problem;
  }

  /** Whether the server was not reached at all. */
  get offline(): boolean {
    return this.problem.status === 0;
  }
}

export function localProblem(code: string, title: string, detail: string, status = 0): Problem {
  return { type: 'about:blank', title, status, detail, code, details: {} };
}

export const UNREACHABLE = localProblem(
  'master-unavailable',
  'The server cannot be reached',
  'Check that `sluice serve` runs and that this machine can reach it. The page tries again by itself.',
);

/** The problem in an answer's text; an answer of another kind becomes one by its HTTP status. */
export function problemFrom(status: number, statusText: string, text: string): Problem {
  try {
    const parsed = JSON.parse(text) as Partial<Problem> | null;
    if (typeof parsed === 'object' && parsed !== null && typeof parsed.title === 'string') {
      return {
        type: parsed.type ?? 'about:blank',
        title: parsed.title,
        status: parsed.status ?? status,
        detail: parsed.detail ?? '',
        code: parsed.code ?? 'internal',
        details: parsed.details ?? {},
      };
    }
  } catch {
    // Not JSON, such as a proxy's page: the status has to say it.
  }
  return localProblem('internal', statusText || `HTTP ${status}`, text.slice(0, 300), status);
}

export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof ProblemError) return thrown.problem;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return localProblem('internal', 'Something went wrong in the dashboard', message);
}

/** A job's or chunk's error in the same shape, so that one component shows both. */
export function problemOfError(error: JobError, title: string): Problem {
  return { ...localProblem(error.code, title, error.message), details: error.details };
}

const PLACE_LABELS: readonly (readonly [string, string])[] = [
  ['step', 'step'],
  ['path', 'at'],
  ['record', 'record'],
  ['line', 'line'],
  ['column', 'column'],
  ['columnName', 'field'],
  ['byteOffset', 'byte'],
  ['chunkIndex', 'chunk'],
  ['chunk', 'chunk'],
];

/** 'record 17 · line 18 · column 3', from whatever of it the details hold; '' when nothing. */
export function placeOf(details: Readonly<Record<string, unknown>>): string {
  return PLACE_LABELS.flatMap(([key, label]) => {
    const value = Object.hasOwn(details, key) ? details[key] : undefined;
    const isPlace = (typeof value === 'string' && value !== '') || typeof value === 'number';
    return isPlace ? [`${label} ${value}`] : [];
  }).join(' · ');
}

const ADVICE: Readonly<Record<string, string>> = {
  forbidden: 'Your token allows less than this: sign in with one of the role named above.',
  'empty-input': 'Choose a file that has at least one record.',
  'plan-invalid': 'Correct the plan and upload the file again; chunks already stored are reused.',
  'plan-unsupported': 'Remove the step named above; the rest of the plan can run today.',
  'input-format': 'Say what the file is under “How to read the file”, then upload it again.',
  'input-encoding': 'Choose the file’s encoding under “How to read the file”.',
  'input-compression':
    'The compressed file seems damaged: pack it again, or upload it uncompressed.',
  'input-malformed': 'Set `on_error: reject` under `read` to keep going and collect such records.',
  'input-truncated': 'The upload broke off. Upload the file again: stored chunks are reused.',
  'upload-expired': 'Upload the file again: stored chunks are reused.',
  'limit-exceeded': 'The file exceeds a limit of this server; the place says where.',
  'rejects-over-budget': 'Look at the Rejects tab; raise `limits.max_rejects` if they are fine.',
  'group-limit': 'Group by fewer or coarser columns.',
  'chunk-failed': 'Open Chunks to see the failed ones, then press Retry: only those run again.',
  'disk-full': 'Free space where the server keeps its data, then press Retry.',
  'storage-failed': 'Check the server’s data folder, then press Retry.',
  'broker-unavailable': 'Check the message broker. The job goes on by itself when it is back.',
  'no-workers': 'Start a worker; the Workers page says how.',
  'blob-missing': 'Upload the file again: what is stored is reused, the rest is sent anew.',
  'input-damaged': 'Upload the same file again, and then press Retry on this job.',
  'blob-corrupt': 'Upload the file again: what is stored is reused, the rest is sent anew.',
};

/** What a person can do about it; '' when nothing is known. */
export function adviceFor(code: string): string {
  return Object.hasOwn(ADVICE, code) ? (ADVICE[code] ?? '') : '';
}
