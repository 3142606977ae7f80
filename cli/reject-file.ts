import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Job, Reject } from '../pipeline/protocol/index.ts';
import { rejectHeader, rejectLine } from '../pipeline/result/reject-lines.ts';
import { inputHeader, inputRecord } from '../pipeline/result/rejects-as-input.ts';
import type { RejectFormat } from '../pipeline/result/reject-lines.ts';

/** How `--rejects` is written: a line for each reject with place and reason, or as it stood. */
export type RejectsFormat = RejectFormat | 'input';

/** Writes rejects; unless a format is said as CSV when the name ends in .csv, else as NDJSON. */
export async function writeRejects(
  file: string,
  rejects: AsyncIterable<Reject>,
  job: Job,
  stated: RejectsFormat | undefined,
): Promise<void> {
  const format = stated ?? (file.toLowerCase().endsWith('.csv') ? 'csv' : 'ndjson');
  const parts = format === 'input' ? recordsOf(rejects, job) : linesOf(rejects, format);
  await pipeline(Readable.from(parts), createWriteStream(file));
}

async function* recordsOf(rejects: AsyncIterable<Reject>, job: Job): AsyncGenerator<Buffer> {
  yield Buffer.from(inputHeader(job));
  for await (const reject of rejects) {
    const record = inputRecord(reject, job);
    if (record !== null) yield record;
  }
}

async function* linesOf(
  rejects: AsyncIterable<Reject>,
  format: RejectFormat,
): AsyncGenerator<string> {
  yield rejectHeader(format);
  for await (const reject of rejects) yield rejectLine(reject, format);
}
