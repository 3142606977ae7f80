import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Reject } from '../pipeline/protocol/index.ts';
import { rejectHeader, rejectLine } from '../pipeline/result/reject-lines.ts';
import type { RejectFormat } from '../pipeline/result/reject-lines.ts';

/** Writes rejects as CSV when the name ends in .csv, else as one JSON object a line. */
export async function writeRejects(file: string, rejects: AsyncIterable<Reject>): Promise<void> {
  const format = file.toLowerCase().endsWith('.csv') ? 'csv' : 'ndjson';
  await pipeline(Readable.from(linesOf(rejects, format)), createWriteStream(file));
}

async function* linesOf(
  rejects: AsyncIterable<Reject>,
  format: RejectFormat,
): AsyncGenerator<string> {
  yield rejectHeader(format);
  for await (const reject of rejects) yield rejectLine(reject, format);
}
