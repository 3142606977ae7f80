import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '../../pipeline/errors.ts';
import type { Job } from '../../pipeline/protocol/index.ts';
import { isFinal } from '../coordination/job-state.ts';
import type { ActiveJob } from '../driver/active-job.ts';
import type { CreateUpload, ResumableUploads, UploadPart, UploadStatus } from '../service.ts';
import type { JobRecord } from '../storage/job-record.ts';
import { PROCESS_TIMERS } from '../timers.ts';
import type { UploadDeps } from './open-upload.ts';
import { OpenUpload } from './open-upload.ts';
import { Spool, syncFile } from './spool.ts';

export interface JobUploadsDeps extends UploadDeps {
  /** Folder of the spools: one folder an upload, named by its job's id. */
  readonly dir: string;
  readonly expiryMs: number;
  readonly create: (request: CreateUpload) => Promise<Job>;
}

/** Uploads are looked over once a minute, more often when they expire sooner. */
const LOOK_MS = 60_000;

/** The resumable uploads of a master. Each open one is held here from its first use to its end. */
export class JobUploads implements ResumableUploads {
  readonly #deps: JobUploadsDeps;
  readonly #open = new Map<string, Promise<OpenUpload>>();
  #stopLooking: () => void = () => undefined;

  constructor(deps: JobUploadsDeps) {
    this.#deps = deps;
  }

  get expiryMs(): number {
    return this.#deps.expiryMs;
  }

  /**
   * Takes up the uploads that an earlier process left: shows how far each came, completes those
   * whose bytes have all come, and deletes the spools that nobody needs.
   */
  async start(): Promise<void> {
    const { coordinator, dir, store } = this.#deps;
    await mkdir(dir, { recursive: true });
    await syncFile(path.dirname(dir));
    await store.sync();
    for (const id of await readdir(dir)) {
      const job = coordinator.active(id);
      if (job === undefined || !isWaiting(job)) await rm(path.join(dir, id), { recursive: true });
    }
    for (const job of coordinator.activeJobs()) if (isWaiting(job)) await this.#upload(job);
    await this.#lookOver();
    const lookMs = Math.max(1, Math.min(LOOK_MS, this.expiryMs / 4));
    const { timers = PROCESS_TIMERS } = this.#deps;
    this.#stopLooking = timers.every(lookMs, () => void this.#lookOver());
  }

  /** Stops all readers. The uploads go on after a restart. */
  async close(): Promise<void> {
    this.#stopLooking();
    for (const upload of await Promise.all(this.#open.values())) await upload.suspend();
  }

  async create(request: CreateUpload): Promise<Job> {
    if (request.bytesTotal === 0) {
      throw new SluiceError('empty-input', 'the input has no bytes');
    }
    const job = await this.#deps.create(request);
    await this.#deps.store.sync();
    return job;
  }

  async status(id: string): Promise<UploadStatus> {
    const job = this.#find(id);
    const { bytesReceived, bytesTotal, upload } = job.facts;
    const metadata = upload?.metadata ?? null;
    if (job.state.input === 'complete') {
      return { receivedBytes: bytesReceived, bytesTotal: bytesReceived, metadata, activeAt: null };
    }
    const { receivedBytes } = await this.#upload(this.#waiting(id));
    return { receivedBytes, bytesTotal, metadata, activeAt: upload?.activeAt ?? null };
  }

  async declareBytes(id: string, bytesTotal: number): Promise<void> {
    const job = this.#waiting(id);
    const { receivedBytes } = await this.#upload(job);
    const known = job.facts.bytesTotal;
    if ((known ?? bytesTotal) !== bytesTotal || bytesTotal < receivedBytes) {
      throw new SluiceError(
        'conflict',
        known === null
          ? `the upload has ${receivedBytes} bytes already`
          : `the upload was said to have ${known} bytes`,
        { details: { bytesTotal: known, receivedBytes } },
      );
    }
    this.#deps.coordinator.saveFacts(job, { bytesTotal });
    await this.#deps.store.sync();
  }

  async write(id: string, part: UploadPart): Promise<number> {
    const job = this.#waiting(id);
    const upload = await this.#upload(job);
    try {
      return await upload.write(part);
    } catch (thrown) {
      // Why the job ended says more than that its reader stopped.
      throw isFinal(job.state) ? failureOf(job) : thrown;
    }
  }

  async terminate(id: string): Promise<void> {
    if (this.#find(id).state.input === 'complete') {
      throw new SluiceError(
        'conflict',
        'the upload is complete: cancel or delete its job instead, at /api/jobs',
      );
    }
    const job = this.#waiting(id);
    const upload = await this.#upload(job);
    await this.#deps.coordinator.applyDurably(id, { kind: 'cancel' });
    await upload.remove();
  }

  #find(id: string): ActiveJob | JobRecord {
    const { coordinator, store } = this.#deps;
    const job = coordinator.active(id) ?? store.job(id);
    if (job?.facts.upload !== undefined) return job;
    throw new SluiceError('not-found', `there is no upload ${JSON.stringify(id)}`);
  }

  /** The job of an upload that takes bytes. */
  #waiting(id: string): ActiveJob {
    const job = this.#deps.coordinator.active(id);
    if (job !== undefined && isWaiting(job)) return job;
    throw endOf(this.#find(id));
  }

  #upload(job: ActiveJob): Promise<OpenUpload> {
    const known = this.#open.get(job.id);
    if (known !== undefined) return known;
    const offset = job.facts.upload?.resumePoint?.rawOffset ?? 0;
    const opened = Spool.open(path.join(this.#deps.dir, job.id), offset).then((spool) =>
      OpenUpload.open(this.#deps, job, spool),
    );
    this.#open.set(job.id, opened);
    const onEnd = (): void => void this.#close(job, opened);
    job.signal.addEventListener('abort', onEnd, { once: true });
    opened.catch(() => {
      this.#open.delete(job.id);
      job.signal.removeEventListener('abort', onEnd);
    });
    return opened;
  }

  /** The job is over, or the master closes. */
  async #close(job: ActiveJob, opened: Promise<OpenUpload>): Promise<void> {
    this.#open.delete(job.id);
    try {
      const upload = await opened;
      if (isFinal(job.state)) await upload.remove();
      else await upload.suspend();
    } catch (thrown) {
      this.#deps.log.warn({ jobId: job.id, err: thrown }, 'cannot delete a spool');
    }
  }

  /** Gives up uploads whose clients are gone, and completes those that failed at their last step. */
  async #lookOver(): Promise<void> {
    const { coordinator } = this.#deps;
    for (const job of coordinator.activeJobs()) {
      if (!isWaiting(job)) continue;
      // Null of one whose spool could not be opened.
      const upload = (await this.#open.get(job.id)?.catch(() => null)) ?? null;
      if (upload?.isWriting === true || !isWaiting(job)) continue;
      if (upload?.isWhole === true) {
        const never = new AbortController().signal;
        void upload.finish(never).catch(() => undefined);
      } else if (this.#isExpired(job)) {
        await upload?.suspend();
        const error = expired(job);
        await coordinator.applyDurably(job.id, { kind: 'input-failed', ofUpload: true, error });
      }
    }
  }

  #isExpired({ facts: { upload } }: ActiveJob): boolean {
    return upload !== undefined && this.#deps.now() - Date.parse(upload.activeAt) > this.expiryMs;
  }
}

function isWaiting({ state, facts }: ActiveJob): boolean {
  return facts.upload !== undefined && state.input === 'open' && !isFinal(state);
}

function expired({ facts: { bytesReceived, bytesTotal, upload } }: ActiveJob) {
  const total = bytesTotal === null ? '' : ` of ${bytesTotal}`;
  return {
    code: 'upload-expired' as const,
    message:
      `The upload was given up: ${bytesReceived}${total} bytes had come, the last of them at ` +
      `${upload?.activeAt}. Upload the file again: chunks that were done are not processed twice.`,
    details: { bytesReceived, bytesTotal },
  };
}

/** What the job failed with, in the middle of a part. */
function failureOf(job: ActiveJob): SluiceError {
  const { error } = job.state;
  if (error === null) return endOf(job);
  return new SluiceError(error.code, error.message, {
    details: { ...error.details, jobId: job.id },
  });
}

/** Why an upload takes no more bytes. */
function endOf({ id, state }: ActiveJob | JobRecord): SluiceError {
  const { error, input, status } = state;
  if (error?.code === 'upload-expired') return new SluiceError(error.code, error.message);
  const reason = input === 'complete' ? 'it is complete' : `its job is ${status}`;
  const why = error === null ? reason : `${reason}: ${error.message}`;
  return new SluiceError('upload-over', `the upload takes no more bytes, because ${why}`, {
    details: { jobId: id, status },
  });
}
