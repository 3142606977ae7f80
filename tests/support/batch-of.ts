import type { Batch } from '../../pipeline/execution/batch.ts';
import { RFC_4180, type Dialect } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import { Tokenizer } from '../../pipeline/parsing/tokenizer.ts';

/** All records of a text without header as one batch, every one selected. */
export function batchOf(input: string | Uint8Array, dialect: Dialect = RFC_4180): Batch {
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  const index = createRecordIndex();
  new Tokenizer(dialect, { skipBlankLines: 'never' }).tokenize(bytes, 0, bytes.length, true, index);
  const selection = Uint32Array.from({ length: index.recordCount }, (_, record) => record);
  const selectedCount = index.recordCount;
  return { bytes, dialect, index, selection, selectedCount };
}

/** RFC 4180 text of records; null is an empty field, an empty text is quoted. */
export function csvOf(records: readonly (readonly (string | null)[])[]): string {
  return records.map((record) => `${record.map(csvField).join(',')}\n`).join('');
}

function csvField(text: string | null): string {
  if (text === null) return '';
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
