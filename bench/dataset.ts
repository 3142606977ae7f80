import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Condition } from './condition.ts';
import { xorshift32 } from './generate/random.ts';

/** A generated table, and the work that every subject does on it. */
export interface Dataset {
  readonly name: string;
  /** Raise it when the bytes change: files are cached by name, size and version. */
  readonly version: number;
  readonly columns: readonly string[];
  /** SQL types of the columns that the tasks treat as numbers; everything else stays text. */
  readonly numbers: Readonly<Record<string, string>>;
  /** One record as CSV text, without its line end. */
  record(number: number, random: () => number): string;
  readonly filter: {
    readonly conditions: readonly Condition[];
    readonly columns: readonly string[];
  };
  readonly group: { readonly by: string; readonly value: string };
  /** A group by nearly as many keys as there are records; null where no column has them. */
  readonly many: { readonly by: string; readonly value: string } | null;
  /** A column of numbers to sort by, and one that tells records of equal numbers apart. */
  readonly sort: { readonly by: string; readonly then: string } | null;
}

const SEED = 20_261;
const BATCH_RECORDS = 1000;

/** Path of the data file, generated when it is not there yet. */
export async function ensureFile(
  dataset: Dataset,
  megabytes: number,
  folder: string,
): Promise<string> {
  const file = path.join(folder, `${dataset.name}-v${dataset.version}-${megabytes}mb.csv`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const part = `${file}.part`;
  await pipeline(Readable.from(batches(dataset, megabytes * 1e6)), createWriteStream(part));
  renameSync(part, file);
  return file;
}

function* batches(dataset: Dataset, bytesWanted: number): Generator<Buffer> {
  const random = xorshift32(SEED);
  let bytes = 0;
  let number = 0;
  let text = `${dataset.columns.join(',')}\n`;
  while (bytes < bytesWanted) {
    for (let i = 0; i < BATCH_RECORDS; i++) text += `${dataset.record(++number, random)}\n`;
    const buffer = Buffer.from(text);
    bytes += buffer.length;
    text = '';
    yield buffer;
  }
}
