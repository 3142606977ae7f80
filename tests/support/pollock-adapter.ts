/**
 * Loads every file of the Pollock benchmark with the sniffer and the reader, and writes it as RFC 4180
 * with the header first, ragged records as they are, for `pollock_score.py` to judge.
 *
 * node tests/support/pollock-adapter.ts DATASET OUT
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Transcoder } from '../../pipeline/dialect/transcoder.ts';
import { detectEncoding } from '../../pipeline/dialect/encoding.ts';
import { DEFAULT_READ_OPTIONS } from '../../pipeline/dialect/read-options.ts';
import { sniffInput } from '../../pipeline/dialect/sniff.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { readRecords } from '../../pipeline/parsing/record-reader.ts';

const [dataset, outFolder] = process.argv.slice(2);
if (dataset === undefined || outFolder === undefined) {
  throw new Error('usage: pollock-adapter.ts DATASET OUT');
}

mkdirSync(outFolder, { recursive: true });
for (const file of readdirSync(path.join(dataset, 'csv'))) {
  const loaded = load(readFileSync(path.join(dataset, 'csv', file)));
  writeFileSync(path.join(outFolder, `${file}_converted.csv`), loaded);
}

function load(raw: Uint8Array): string {
  try {
    const transcoder = new Transcoder(detectEncoding(raw, true).encoding);
    const text = Buffer.concat([transcoder.push(raw), transcoder.finish()]);
    const { dialect, input, dataOffset } = sniffInput(text, true, DEFAULT_READ_OPTIONS);
    const records = readRecords(text.subarray(dataOffset), { ...dialect, skip: 0 });
    const header = dialect.header ? [input.columns.map((column) => column.name)] : [];
    return [...header, ...records].map(csvLine).join('');
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'empty-input') return '';
    return `Application Error\n${String(error)}\n`;
  }
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\n`;
}

function csvCell(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
