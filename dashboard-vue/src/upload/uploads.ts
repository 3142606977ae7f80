import { reactive, shallowRef } from 'vue';
import type { Job, Problem } from '../../../pipeline/protocol/index.ts';
import { createJob, storeLookup, getJob } from '../api/client.ts';
import { toProblem } from '../api/problem.ts';
import { isActive } from '../format/job-status.ts';
import { earlierUploads, resumableUpload } from './resumable-upload.ts';

/**
 * The uploads of this page. They outlive the view that started them; over a reload of the page the
 * same file has to be chosen again, and goes on where it was.
 *
 * | state     | means                                             | left                           |
 * | --------- | ------------------------------------------------- | ------------------------------ |
 * | sending   | bytes are on their way, or about to be            | any other                      |
 * | stalled   | the connection is lost, and tried again and again | bytes go through; failed       |
 * | held      | the user has paused it                            | goOn, cancel                   |
 * | arrived   | the server has the whole file                     | never                          |
 * | failed    | `problem` says why                                | never                          |
 * | cancelled | the user, or the job                              | never                          |
 */
export interface Upload {
  readonly key: string;
  readonly name: string;
  readonly size: number;
  sent: number;
  state: 'sending' | 'stalled' | 'held' | 'arrived' | 'failed' | 'cancelled';
  jobId: string | null;
  problem: Problem | null;
  hold(): void;
  goOn(): void;
  cancel(): void;
}

export const uploads = reactive<Upload[]>([]);

/** The file that was dropped or chosen, on its way to the New job page. */
export const pickedFile = shallowRef<File | null>(null);

export function uploadOf(jobId: string): Upload | undefined {
  return uploads.findLast((upload) => upload.jobId === jobId);
}

export function isOpen({ state }: Upload): boolean {
  return state === 'sending' || state === 'stalled' || state === 'held';
}

/** Creates a job, and sends it the file. The files that its plan joins to, by name, go before. */
export function startUpload(
  file: File,
  plan: string,
  lookups: ReadonlyMap<string, File> = new Map(),
): Upload {
  const upload = addUpload(file);
  void storeLookups(lookups)
    .then((stored) => {
      const job = { name: file.name, plan, size: file.size, lookups: stored };
      return createJob(job, upload.key);
    })
    .then((job) => {
      if (upload.state === 'cancelled') return;
      send(upload, file, job.id);
    })
    .catch((error: unknown) => fail(upload, error));
  return upload;
}

/** As NAME=KEY. */
async function storeLookups(lookups: ReadonlyMap<string, File>): Promise<string[]> {
  const stored: string[] = [];
  for (const [name, file] of lookups) {
    const { key } = await storeLookup(name, file);
    stored.push(`${name}=${key}`);
  }
  return stored;
}

/** Goes on with an upload that an earlier page began. */
export function continueUpload(file: File, job: Job): Upload {
  const upload = addUpload(file);
  upload.sent = job.bytesReceived;
  send(upload, file, job.id);
  return upload;
}

/** The newest job that waits for the rest of this file; null when there is none. */
export async function waitingJobOf(file: File): Promise<Job | null> {
  for (const id of await earlierUploads(file)) {
    if (uploads.some((upload) => upload.jobId === id && isOpen(upload))) continue;
    const job = await getJob(id).catch(() => null);
    const isWhole = job?.bytesReceived === job?.bytesTotal;
    if (job !== null && isActive(job.status) && !isWhole) return job;
  }
  return null;
}

function addUpload(file: File): Upload {
  const upload = reactive<Upload>({
    key: randomKey(),
    name: file.name,
    size: file.size,
    sent: 0,
    state: 'sending',
    jobId: null,
    problem: null,
    hold: () => undefined,
    goOn: () => undefined,
    cancel: () => {
      upload.state = 'cancelled';
    },
  });
  uploads.push(upload);
  return upload;
}

function send(upload: Upload, file: File, jobId: string): void {
  const tus = resumableUpload(file, jobId, {
    onSent: (bytes) => {
      upload.sent = bytes;
      upload.state = 'sending';
    },
    onStall: () => {
      upload.state = 'stalled';
    },
    onArrived: () => {
      upload.sent = upload.size;
      upload.state = 'arrived';
    },
    onFailed: (error) => fail(upload, error),
  });
  upload.hold = () => {
    upload.state = 'held';
    void tus.abort();
  };
  upload.goOn = () => {
    upload.state = 'sending';
    tus.start();
  };
  upload.cancel = () => {
    upload.state = 'cancelled';
    tus.abort(true).catch((error: unknown) => fail(upload, error));
  };
  upload.jobId = jobId;
  tus.start();
}

function fail(upload: Upload, error: unknown): void {
  upload.problem = toProblem(error);
  const isOver = upload.problem.code === 'upload-over';
  upload.state = isOver ? 'cancelled' : 'failed';
}

/** `crypto.randomUUID` is missing on plain-HTTP addresses other than localhost. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

window.addEventListener('beforeunload', (event) => {
  if (uploads.some(isOpen)) event.preventDefault();
});
