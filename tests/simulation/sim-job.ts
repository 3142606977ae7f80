import { isFinal } from '../../master/coordination/job-state.ts';
import type { JobState } from '../../master/coordination/job-state.ts';
import type { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';
import type { Input, Prepared } from './workload.ts';

/** A job as the client that sends it knows it. */
export interface SimJob {
  /** What the client calls it. */
  readonly name: string;
  /** What the master calls it; '' until there is one. */
  id: string;
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
  /** The Idempotency-Key under which the client sends it until it was told that it has come. */
  readonly key: string | null;
  /** What was answered for certain: the input has come, the job is cancelled, or is no more. */
  readonly told: Set<'received' | 'cancelled' | 'deleted'>;
  /** Its rows were deleted, though nobody may have been told. */
  isRemoved: boolean;
  /** Somebody asked that it be cancelled or deleted. */
  isUnwanted: boolean;
  /** The last thing that somebody asked for, which may be refused yet. */
  command: Command | null;
  /** Bytes that the client was told it need not send again. */
  acknowledgedBytes: number;
  /** Ends the client's last request, which the master may take for alive. */
  letGo: (() => void) | null;
}

export interface Command {
  readonly kind: 'pause' | 'resume' | 'retry' | 'cancel' | 'delete';
  /** Of the job when it was done; null until the answer has come. */
  round: number | null;
}

/** Of a job that its client has not begun to send. */
export const unsent = () => ({
  ...{ isAbandoned: false, isUploading: false, isCreated: false },
  ...{ id: '', acknowledgedBytes: 0, letGo: null, told: new Set<never>() },
  ...{ command: null, isRemoved: false, isUnwanted: false },
});

/** Remembers what somebody was told about the job of that id. */
export function told(
  { jobs }: { readonly jobs: readonly SimJob[] },
  id: string,
  what: 'cancelled' | 'deleted',
): void {
  jobs.find((job) => job.id === id)?.told.add(what);
}

/** What the client or somebody else was told, and is not so after a loss of power; null when all is. */
export function brokenWord(job: SimJob, state: JobState | undefined): string | null {
  const { name, told: words, command, isCreated } = job;
  const said = [...words].join(' and ');
  if (words.has('deleted')) return state === undefined ? null : `${name} was deleted, and is back`;
  if (state === undefined) {
    if (job.isRemoved) return null;
    const isKnown = words.size > 0 || isCreated || command?.round != null;
    return isKnown ? `${name} was known, and is gone` : null;
  }
  if (words.has('cancelled') && state.status !== 'cancelled') {
    return `${name} was ${said}, and is ${state.status}`;
  }
  // A resumable upload is complete when its bytes have come, though its master may not know yet.
  if (words.has('received') && !job.isResumable && state.input === 'open')
    return `${name} had its input, and waits for it`;
  if (command?.round == null) return null;
  const { kind, round } = command;
  const isUndone =
    (kind === 'pause' && state.status !== 'paused' && !isFinal(state)) ||
    (kind === 'resume' && state.status === 'paused');
  const isKept = state.round >= round && !isUndone;
  return isKept ? null : `${name} was told to ${kind}, and is ${state.status} as before`;
}

/** Whether the job says that chunks of its input are lost: the same upload stores them anew. */
export function lacksInput(store: SqliteJobStore, jobId: string): boolean {
  const failed = store.job(jobId)?.state.failed ?? [];
  return failed.some((index) => store.chunk(jobId, index)?.error?.code === 'input-damaged');
}
