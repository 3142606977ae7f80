import { setImmediate as nextTurn } from 'node:timers/promises';
import { SluiceError } from '../../pipeline/errors.ts';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import { PLAIN_CSV, type OutputEncoding } from '../../pipeline/execution/context.ts';
import { outputFrame } from '../../pipeline/execution/output-frame.ts';
import { storedContext, storedRecords } from '../../pipeline/execution/stored/stored-output.ts';
import type { StoredEncoding } from '../../pipeline/execution/stored/stored-output.ts';
import type { JobRecord } from '../storage/job-record.ts';

/**
 * Results in another encoding than their chunks are stored in, made of the stored outputs one after
 * another. Between two of them other work of the process gets its turn.
 */

/** A result in another format than the plan's: its size is not known before it is made. */
export interface ConvertedResult {
  readonly contentType: string;
  readonly filename: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** The encoding that a client asked for. Throws `bad-request`, and `conflict` before the end. */
export function targetOf(job: Pick<JobRecord, 'facts' | 'state'>, wanted: string): OutputEncoding {
  const { resultFormat } = job.facts;
  const format = (['csv', 'ndjson', 'json'] as const).find((name) => name === wanted);
  if (format === undefined) {
    const available = [...new Set([resultFormat ?? 'csv', 'csv', 'ndjson', 'json'])];
    const message =
      `the result cannot be had as ${JSON.stringify(wanted.slice(0, 20))}, but as ` +
      `${available.join(', ')}; parquet is made when the plan's write.format says so`;
    throw new SluiceError('bad-request', message, { details: { wanted, available } });
  }
  if (!job.state.status.startsWith('completed')) {
    const message = `the result is made as ${resultFormat ?? 'csv'}: as ${format} it can be had at the end`;
    throw new SluiceError('conflict', message, { details: { status: job.state.status } });
  }
  return { ...PLAIN_CSV, format };
}

/** One output alone. */
export async function* only(output: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield output;
}

/** The result as a Parquet file. Errors: those of ParquetEncoder. */
export async function* parquetResult(
  stored: StoredEncoding,
  outputs: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  // Its writer takes as long to load as everything else that a run of one file needs of the master.
  const { ParquetEncoder } = await import('../../pipeline/execution/stored/parquet-encoder.ts');
  const encoder = new ParquetEncoder(stored);
  for await (const output of outputs) {
    for (const part of encoder.add(output)) {
      yield part;
      await nextTurn();
    }
  }
  yield encoder.finish();
}

/** The result as text of another format. */
export async function* convertedResult(
  stored: StoredEncoding,
  target: OutputEncoding,
  outputs: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const frame = outputFrame(stored.columns, target);
  const program = createChunkProgram(storedContext(stored, target));
  if (frame.header.length > 0) yield frame.header;
  let skip = frame.skipFirstBytes;
  for await (const output of outputs) {
    for (const part of program.run(storedRecords(output, stored)).output) {
      if (part.length > skip) yield part.subarray(skip);
      skip = Math.max(0, skip - part.length);
    }
    await nextTurn();
  }
  if (frame.footer.length > 0) yield frame.footer;
}
