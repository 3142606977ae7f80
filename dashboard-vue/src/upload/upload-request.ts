import type { Job } from '../../../pipeline/protocol/index.ts';
import { ProblemError, UNREACHABLE, localProblem, problemFrom } from '../api/problem.ts';

/** A plan longer than this, in characters of the address, travels as a form field instead. */
const PLAN_QUERY_CHARS_MAX = 6000;

export interface UploadRequest {
  readonly file: File;
  readonly name: string;
  /** YAML or JSON; '' for the plain job. */
  readonly plan: string;
  /** Makes creating the job repeatable. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  /** Bytes handed to the network so far. */
  readonly onSent: (bytes: number) => void;
}

/**
 * Sends the file as it is on disk, by XMLHttpRequest: only that reports upload progress. Resolves
 * with the job when the last byte has arrived; rejects with ProblemError.
 */
export function sendFile(request: UploadRequest): Promise<Job> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const query = new URLSearchParams({ name: request.name });
    const isLong = encodeURIComponent(request.plan).length > PLAN_QUERY_CHARS_MAX;
    if (request.plan !== '' && !isLong) query.set('plan', request.plan);
    xhr.open('POST', `/api/jobs${isLong ? '' : `?${query}`}`);
    xhr.setRequestHeader('idempotency-key', request.idempotencyKey);
    const abort = () => {
      xhr.abort();
    };
    const settle = (action: () => void) => {
      request.signal.removeEventListener('abort', abort);
      action();
    };
    const fail = (error: ProblemError) => {
      settle(() => {
        reject(error);
      });
    };
    xhr.upload.onprogress = (event) => {
      request.onSent(Math.min(event.loaded, request.file.size));
    };
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) {
        settle(() => {
          resolve(JSON.parse(xhr.responseText) as Job);
        });
      } else fail(new ProblemError(problemFrom(xhr.status, xhr.statusText, xhr.responseText)));
    };
    xhr.onerror = () => {
      fail(new ProblemError(UNREACHABLE));
    };
    xhr.onabort = () => {
      fail(new ProblemError(localProblem('aborted', 'The upload was cancelled', '')));
    };
    request.signal.addEventListener('abort', abort);
    xhr.send(isLong ? formOf(request) : rawBodyOf(xhr, request.file));
  });
}

function rawBodyOf(xhr: XMLHttpRequest, file: File): File {
  xhr.setRequestHeader('content-type', contentTypeOf(file.name));
  return file;
}

function formOf(request: UploadRequest): FormData {
  const form = new FormData();
  form.set('plan', request.plan);
  form.set('name', request.name);
  form.set('file', request.file, request.name);
  return form;
}

/** By the name's ending, as browsers do not know these types on every system. */
function contentTypeOf(name: string): string {
  const plain = name.toLowerCase().replace(/\.(gz|zst|br|zip)$/, '');
  if (/\.(ndjson|jsonl)$/.test(plain)) return 'application/x-ndjson';
  if (plain.endsWith('.json')) return 'application/json';
  if (/\.(tsv|tab)$/.test(plain)) return 'text/tab-separated-values';
  return plain.endsWith('.csv') ? 'text/csv' : 'application/octet-stream';
}
