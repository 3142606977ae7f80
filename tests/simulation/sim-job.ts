import { newJob } from '../../master/new-job.ts';
import type { JobRecord } from '../../master/storage/job-record.ts';
import type { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';
import type { Input, Prepared } from './workload.ts';

/** A job as the client that sends it knows it. */
export interface SimJob {
  readonly id: string;
  readonly plan: Prepared;
  readonly input: Input;
  /** The input as it is sent: in the encoding that the client has it in. */
  readonly raw: Buffer;
  readonly isResumable: boolean;
  /** Whether some of its chunks can never be done. */
  readonly isPoisoned: boolean;
  readonly paceMs: number;
  /** The client went away. */
  isAbandoned: boolean;
  isUploading: boolean;
  /** Of a resumable upload: whether the client knows that there is one. */
  isCreated: boolean;
  /** What was answered for certain: the input has come, the job is cancelled, or is no more. */
  readonly told: Set<'received' | 'cancelled' | 'deleted'>;
  /** Bytes that the client was told it need not send again. */
  acknowledgedBytes: number;
  /** Ends the client's last request, which the master may take for alive. */
  letGo: (() => void) | null;
}

/** Of a job that its client has not begun to send. */
export const unsent = () => ({
  ...{ isAbandoned: false, isUploading: false, isCreated: false },
  ...{ acknowledgedBytes: 0, letGo: null, told: new Set<never>() },
});

/** Whether the job says that chunks of its input are lost: the same upload stores them anew. */
export function lacksInput(store: SqliteJobStore, jobId: string): boolean {
  const failed = store.job(jobId)?.state.failed ?? [];
  return failed.some((index) => store.chunk(jobId, index)?.error?.code === 'input-damaged');
}

/** As the master makes one, but by a name that is the same in each run. */
export function newRecord({ id, plan }: SimJob, nowMs: number): JobRecord {
  const request = { name: `${id}.csv`, plan: plan.text, bytesTotal: null, idempotencyKey: null };
  return { ...newJob(request, [], nowMs), id };
}
