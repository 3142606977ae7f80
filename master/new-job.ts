import { parse as parseYaml } from 'yaml';
import { LIMITS } from '../pipeline/limits.ts';
import { INITIAL_JOB_STATE } from './coordination/job-state.ts';
import type { ReceiveRequest } from './service.ts';
import type { JobFacts, JobRecord } from './storage/job-record.ts';
import { uuidv7 } from './uuid.ts';

export type JobRequest = Pick<
  ReceiveRequest,
  'name' | 'plan' | 'bytesTotal' | 'idempotencyKey' | 'lookups'
>;

/** A job of which nothing has come yet. The plan has been checked. */
export function newJob(
  { name, plan, bytesTotal, idempotencyKey }: JobRequest,
  lookupFiles: JobFacts['lookupFiles'],
  nowMs: number,
  id = uuidv7(nowMs),
): JobRecord {
  const createdAt = new Date(nowMs).toISOString();
  return {
    id,
    name: name.slice(0, LIMITS.nameCharsMax),
    createdAt,
    updatedAt: createdAt,
    idempotencyKey,
    facts: {
      planText: plan,
      plan: planData(plan),
      bytesReceived: 0,
      bytesTotal,
      inputHash: null,
      lookupFiles,
      input: null,
      warnings: [],
      checks: [],
      waves: null,
      outputColumns: null,
      shape: null,
      resultFormat: null,
      lookups: [],
      dataOffset: 0,
      dataLine: 0,
      resultBytes: 0,
      resultPieces: [],
      resultRecords: 0,
    },
    state: INITIAL_JOB_STATE,
  };
}

function planData(text: string): unknown {
  return text.trim() === '' ? {} : (parseYaml(text) as unknown);
}
