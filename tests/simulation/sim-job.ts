import { INITIAL_JOB_STATE } from '../../master/coordination/job-state.ts';
import { answeredCount } from '../../master/coordination/waves.ts';
import { storeContexts } from '../../master/ingest/store-contexts.ts';
import type { JobRecord } from '../../master/storage/job-record.ts';
import { SluiceError, errorDocument, toSluiceError } from '../../pipeline/errors.ts';
import { InputHasher, taskKey } from '../../pipeline/keys/index.ts';
import type { ChunkStatistics, InputDescription } from '../../pipeline/protocol/index.ts';
import { readResultHead, RESULT_HEAD_BYTES } from '../../pipeline/result/result-format.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimMaster } from './sim-master.ts';
import { COLUMNS } from './workload.ts';
import type { Input, Prepared } from './workload.ts';

/** A job as the client that sends it knows it. */
export interface SimJob {
  readonly id: string;
  readonly plan: Prepared;
  readonly input: Input;
  /** Whether some of its chunks can never be done. */
  readonly isPoisoned: boolean;
  readonly paceMs: number;
  /** The client went away. */
  isAbandoned: boolean;
  isUploading: boolean;
}

const INPUT: InputDescription = {
  ...{ format: 'csv', encoding: 'utf-8', compression: 'none', delimiter: ',', quote: '"' },
  ...{ escape: '"', newline: '\n', comment: '', header: false, skip: 0, columns: [...COLUMNS] },
};
/** A write that failed is worth so many more tries before the upload fails. */
const WRITE_TRIES = 4;
const WRITE_PAUSE_MS = 20;

/** Sends the input as an upload does: chunks are stored, then told, in file order. */
export async function upload(master: SimMaster, job: SimJob): Promise<void> {
  const { coordinator, process } = master;
  job.isUploading = true;
  process.onEnd(() => {
    job.isUploading = false;
  });
  try {
    coordinator.add(newRecord(job));
    await sendChunks(master, job);
    coordinator.apply(job.id, { kind: 'input-complete', waves: job.plan.waves.length });
  } catch (thrown) {
    if (!process.alive) return;
    const error = errorDocument(toSluiceError(thrown));
    await coordinator.applyDurably(job.id, { kind: 'input-failed', error });
  }
  job.isUploading = false;
}

async function sendChunks(master: SimMaster, sim: SimJob): Promise<void> {
  const { coordinator, blobs, process } = master;
  const { compiled, waves } = sim.plan;
  const { outputColumns, shape, checks, resultFormat } = compiled;
  const [{ contextKey }] = waves;
  await patiently(process, () => storeContexts(blobs, compiled));
  const job = coordinator.active(sim.id);
  if (job === undefined) return;
  coordinator.saveFacts(job, { input: INPUT, waves, outputColumns, shape, checks, resultFormat });
  const hasher = new InputHasher(COLUMNS.map(({ name }) => name));
  for (const [index, cut] of sim.input.chunks.entries()) {
    await process.sleep(process.random.next() * sim.paceMs);
    const { key } = cut;
    const task = taskKey(key, contextKey);
    hasher.add(key);
    await patiently(process, () => blobs.put(`chunks/${key}`, [cut.bytes]));
    const statistics = await patiently(process, () => storedStatistics(blobs, task));
    job.signal.throwIfAborted();
    if (sim.isAbandoned) throw new SluiceError('input-truncated', 'the client went away');
    const { byteOffset, line, fullBytes: bytes } = cut;
    const stored = { kind: 'chunk-stored', index } as const;
    coordinator.apply(
      job.id,
      statistics === null ? stored : { ...stored, answer: { reused: true, statistics } },
      [{ index, wave: 0, chunkKey: key, taskKey: task, byteOffset, bytes, line }],
    );
    const { backlogChunks } = coordinator.window();
    await job.until(() => index + 1 - answeredCount(job.state) <= backlogChunks);
    job.signal.throwIfAborted();
  }
  job.facts = { ...job.facts, inputHash: hasher.digest() };
}

/** Of a result that an earlier job left; a damaged one counts as none, and is made again. */
async function storedStatistics(
  blobs: CollectableBlobStore,
  task: string,
): Promise<ChunkStatistics | null> {
  const name = `results/${task}`;
  if (!(await blobs.renew(name))) return null;
  try {
    return readResultHead(await blobs.getRange(name, 0, RESULT_HEAD_BYTES)).statistics;
  } catch (thrown) {
    const { code } = toSluiceError(thrown);
    if (code === 'blob-corrupt' || code === 'blob-missing') return null;
    throw thrown;
  }
}

async function patiently<T>(process: SimProcess, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; tries < WRITE_TRIES; tries++) {
    try {
      return await work();
    } catch {
      await process.sleep(WRITE_PAUSE_MS * 2 ** tries);
    }
  }
  return await work();
}

function newRecord(job: SimJob): JobRecord {
  const createdAt = '2026-01-01T00:00:00.000Z';
  return {
    ...{ id: job.id, name: `${job.id}.csv`, createdAt, updatedAt: createdAt },
    idempotencyKey: null,
    facts: {
      ...{ planText: job.plan.text, plan: {}, bytesReceived: 0, bytesTotal: null },
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
