import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Reject } from '../pipeline/protocol/index.ts';

const COLUMNS = [
  'record',
  'line',
  'byteOffset',
  'column',
  'columnName',
  'code',
  'message',
  'raw',
  'rawEncoding',
] as const satisfies readonly (keyof Reject)[];

/** Writes rejects as CSV when the name ends in .csv, else as one JSON object a line. */
export async function writeRejects(file: string, rejects: AsyncIterable<Reject>): Promise<void> {
  const lines = file.toLowerCase().endsWith('.csv') ? asCsv(rejects) : asNdjson(rejects);
  await pipeline(Readable.from(lines), createWriteStream(file));
}

async function* asNdjson(rejects: AsyncIterable<Reject>): AsyncGenerator<string> {
  for await (const reject of rejects) yield `${JSON.stringify(reject)}\n`;
}

async function* asCsv(rejects: AsyncIterable<Reject>): AsyncGenerator<string> {
  yield `${COLUMNS.join(',')}\r\n`;
  for await (const reject of rejects) {
    yield `${COLUMNS.map((column) => csvField(reject[column])).join(',')}\r\n`;
  }
}

function csvField(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
