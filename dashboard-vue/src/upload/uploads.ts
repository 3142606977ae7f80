import { reactive, shallowRef } from 'vue';
import type { Problem } from '../../../pipeline/protocol/index.ts';
import { listJobs } from '../api/client.ts';
import { toProblem } from '../api/problem.ts';
import { findOwnJob } from './own-job.ts';
import { sendFile } from './upload-request.ts';

/** The uploads of this page. They outlive the view that started them, not the page itself. */
export interface Upload {
  readonly key: string;
  readonly name: string;
  readonly size: number;
  sent: number;
  state: 'sending' | 'arrived' | 'failed' | 'cancelled';
  /** Known as soon as the server lists the job, well before the last byte. */
  jobId: string | null;
  problem: Problem | null;
  cancel(): void;
}

const LOOK_MS = 300;

export const uploads = reactive<Upload[]>([]);

/** The file that was dropped or chosen, on its way to the New job page. */
export const pickedFile = shallowRef<File | null>(null);

export function uploadOf(jobId: string): Upload | undefined {
  return uploads.find((upload) => upload.jobId === jobId);
}

export function startUpload(file: File, plan: string): Upload {
  const controller = new AbortController();
  const upload = reactive<Upload>({
    key: randomKey(),
    name: file.name,
    size: file.size,
    sent: 0,
    state: 'sending',
    jobId: null,
    problem: null,
    cancel: () => {
      controller.abort();
    },
  });
  uploads.push(upload);
  void run(upload, file, plan, controller.signal);
  return upload;
}

async function run(upload: Upload, file: File, plan: string, signal: AbortSignal): Promise<void> {
  try {
    const before = await listJobs({ q: file.name, limit: 100 });
    const known = new Set(before.jobs.map((job) => job.id));
    void lookForJob(upload, known);
    const job = await sendFile({
      file,
      plan,
      name: file.name,
      idempotencyKey: upload.key,
      signal,
      onSent: (bytes) => {
        upload.sent = bytes;
      },
    });
    upload.sent = upload.size;
    upload.jobId = job.id;
    upload.state = 'arrived';
  } catch (error) {
    upload.problem = toProblem(error);
    upload.state = upload.problem.code === 'aborted' ? 'cancelled' : 'failed';
  }
}

async function lookForJob(upload: Upload, known: ReadonlySet<string>): Promise<void> {
  while (upload.jobId === null && upload.state === 'sending') {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    try {
      const page = await listJobs({ q: upload.name, limit: 20 });
      const taken = uploads.flatMap((other) => (other.jobId === null ? [] : [other.jobId]));
      const search = { name: upload.name, size: upload.size, known: new Set([...known, ...taken]) };
      upload.jobId ??= findOwnJob(page.jobs, search)?.id ?? null;
    } catch {
      // The upload itself reports when the server is gone; this only looks for the id.
    }
  }
}

/** `crypto.randomUUID` is missing on plain-HTTP addresses other than localhost. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

window.addEventListener('beforeunload', (event) => {
  if (uploads.some((upload) => upload.state === 'sending')) event.preventDefault();
});
