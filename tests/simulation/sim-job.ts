import { INITIAL_JOB_STATE } from '../../master/coordination/job-state.ts';
import type { JobRecord } from '../../master/storage/job-record.ts';
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

export function newRecord({ id, plan }: SimJob, nowMs: number): JobRecord {
  const createdAt = new Date(nowMs).toISOString();
  return {
    ...{ id, name: `${id}.csv`, createdAt, updatedAt: createdAt },
    idempotencyKey: null,
    facts: {
      ...{ planText: plan.text, plan: {}, bytesReceived: 0, bytesTotal: null },
      ...{ inputHash: null, input: null, waves: null, outputColumns: null },
      ...{
        warnings: [],
        checks: [],
        resultFormat: null,
        lookupFiles: [],
        lookups: [],
        shape: null,
        dataOffset: 0,
        dataLine: 0,
        resultBytes: 0,
        resultPieces: [],
        resultRecords: 0,
      },
    },
    state: INITIAL_JOB_STATE,
  };
}
