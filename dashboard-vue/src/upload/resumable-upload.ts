import { DetailedError, Upload as TusUpload } from 'tus-js-client';
import { ProblemError, UNREACHABLE, problemFrom } from '../api/problem.ts';
import { needsSignIn } from '../api/session.ts';

/** After a failure; the last delay goes on for a quarter of an hour without a byte accepted. */
const RETRY_MS = [200, 500, 1000, 2000, ...new Array<number>(300).fill(3000)];

/** Says that the same request may succeed later, or at another offset. */
const PASSING_STATUSES = new Set([409, 423, 429]);

export interface UploadEvents {
  /** Bytes handed to the network so far. */
  readonly onSent: (bytes: number) => void;
  /** The connection is lost; the upload goes on by itself when it is back. */
  readonly onStall: () => void;
  readonly onArrived: () => void;
  readonly onFailed: (error: ProblemError) => void;
}

/** Sends a file to the upload of a job, over as many connections as it takes. */
export function resumableUpload(file: File, jobId: string, events: UploadEvents): TusUpload {
  return new TusUpload(file, {
    uploadUrl: uploadPath(jobId),
    retryDelays: RETRY_MS,
    removeFingerprintOnSuccess: true,
    onShouldRetry: (error) => {
      const status = error.originalResponse?.getStatus() ?? 0;
      const passes = status === 0 || status >= 500 || PASSING_STATUSES.has(status);
      if (passes) events.onStall();
      return passes;
    },
    onProgress: events.onSent,
    onSuccess: events.onArrived,
    onError: (error) => events.onFailed(problemErrorOf(error)),
  });
}

/** Ids of the jobs whose uploads of this file this browser has begun, newest first. */
export async function earlierUploads(file: File): Promise<string[]> {
  const found = await new TusUpload(file, { uploadUrl: uploadPath('') }).findPreviousUploads();
  return found
    .toSorted((a, b) => Date.parse(b.creationTime) - Date.parse(a.creationTime))
    .flatMap(({ uploadUrl }) => /\/api\/uploads\/([^/?#]+)$/.exec(uploadUrl ?? '')?.[1] ?? []);
}

function uploadPath(jobId: string): string {
  return `/api/uploads/${encodeURIComponent(jobId)}`;
}

function problemErrorOf(error: Error): ProblemError {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (response === null || response.getStatus() === 0) return new ProblemError(UNREACHABLE);
  if (response.getStatus() === 401) needsSignIn.value = true;
  return new ProblemError(problemFrom(response.getStatus(), '', response.getBody()));
}
