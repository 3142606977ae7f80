import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface GeneratedFile {
  readonly bytes: number;
  /** Data records, malformed ones included. */
  readonly records: number;
  /** Records with a cell too few or too many. */
  readonly malformed: number;
}

export interface GenerateOptions {
  readonly bytes: number;
  readonly seed: number;
  /** One record in this many has a wrong number of cells; 0 for none. */
  readonly malformedEvery: number;
}

const NAMES = ['Ada', 'Zoë', '李雷', 'Jörg "JJ" Müller', 'O’Neil, Pat', 'Иван', 'naïve', ''];
const NOTES = [
  'plain',
  'two\nlines',
  'a "quoted" word',
  'semi;colon',
  'comma, inside',
  '🙂',
  '',
  ' ',
];
const COUNTRIES = ['DE', 'FR', 'IT', 'PL', 'US', 'JP'];
const BATCH_RECORDS = 2000;

/**
 * Writes people-like CSV of about `bytes` bytes: quotes, line breaks in fields, UTF-8 of every
 * length, and malformed records. The same options give the same bytes.
 */
export async function generateFile(file: string, options: GenerateOptions): Promise<GeneratedFile> {
  const counts = { bytes: 0, records: 0, malformed: 0 };
  await pipeline(Readable.from(batches(options, counts)), createWriteStream(file));
  return counts;
}

function* batches(
  options: GenerateOptions,
  counts: { bytes: number; records: number; malformed: number },
): Generator<Buffer> {
  const random = xorshift32(options.seed);
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? '';
  let text = 'id,name,country,amount,born,note\n';
  while (counts.bytes < options.bytes) {
    for (let i = 0; i < BATCH_RECORDS; i++) {
      const number = ++counts.records;
      const amount = ((random() - 0.2) * 10_000).toFixed(2);
      const day = String(1 + Math.floor(random() * 28)).padStart(2, '0');
      const cells = [
        String(number).padStart(9, '0'),
        quoted(`${pick(NAMES)} ${Math.floor(random() * 1e6)}`),
        pick(COUNTRIES),
        amount,
        `19${50 + Math.floor(random() * 50)}-0${1 + Math.floor(random() * 9)}-${day}`,
        quoted(pick(NOTES)),
      ];
      if (options.malformedEvery > 0 && number % options.malformedEvery === 0) {
        counts.malformed++;
        if (number % 2 === 0) cells.pop();
        else cells.push('extra');
      }
      text += `${cells.join(',')}\n`;
    }
    const buffer = Buffer.from(text);
    counts.bytes += buffer.length;
    text = '';
    yield buffer;
  }
}

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Numbers in [0, 1): Marsaglia's xorshift with the triple 13, 17, 5 (JSS 8(14), 2003). */
export function xorshift32(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}
