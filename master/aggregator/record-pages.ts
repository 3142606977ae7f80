import { invariant } from '../../pipeline/errors.ts';
import type { OutputEncoding } from '../../pipeline/execution/context.ts';
import { readNdjson } from '../../pipeline/json/ndjson-reader.ts';
import type { Dialect } from '../../pipeline/parsing/dialect.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { fieldText } from '../../pipeline/parsing/field.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import type { RecordIndex } from '../../pipeline/parsing/record-index.ts';
import { Tokenizer } from '../../pipeline/parsing/tokenizer.ts';
import type { Column } from '../../pipeline/protocol/index.ts';

export type Cells = (string | null)[];

/** Outputs of chunks kept with their record starts, so that scrolling does not read them anew. */
const CACHED_BYTES_MAX = 48 * 1024 * 1024;
/** Records found at a time while a chunk's output is indexed. */
const RECORDS_PER_STEP = 8_192;

interface IndexedOutput {
  readonly bytes: Uint8Array;
  /** First byte of each record, and the end. */
  readonly starts: Uint32Array;
}

/** Reads records out of chunk outputs, by number. */
export class RecordPages {
  readonly #cache = new Map<string, IndexedOutput>();
  #cachedBytes = 0;

  /** Records `[from, from + count)` of one output. `key` names it in the cache. */
  async read(
    key: string,
    write: OutputEncoding,
    columns: readonly Column[],
    nullstr: readonly string[],
    load: () => Promise<Uint8Array>,
    from: number,
    count: number,
  ): Promise<Cells[]> {
    const indexed = this.#cache.get(key) ?? this.#keep(key, indexOutput(await load(), write));
    this.#cache.delete(key);
    this.#cache.set(key, indexed);
    const start = indexed.starts[from];
    const end = indexed.starts[Math.min(from + count, indexed.starts.length - 1)];
    if (start === undefined || end === undefined) return [];
    const bytes = indexed.bytes.subarray(start, end);
    return write.format === 'csv' ? csvCells(bytes, write, nullstr) : jsonCells(bytes, columns);
  }

  #keep(key: string, indexed: IndexedOutput): IndexedOutput {
    this.#cachedBytes += indexed.bytes.length;
    this.#cache.set(key, indexed);
    for (const [oldest, { bytes }] of this.#cache) {
      if (this.#cachedBytes <= CACHED_BYTES_MAX || oldest === key) break;
      this.#cache.delete(oldest);
      this.#cachedBytes -= bytes.length;
    }
    return indexed;
  }
}

/** How an output's records are read back. Blank lines are records: one empty field. */
function dialectOf(write: OutputEncoding): Dialect {
  const { delim: delimiter, quote, newline } = write;
  return { ...RFC_4180, delimiter, quote, escape: quote, header: false, newline };
}

function indexOutput(bytes: Uint8Array, write: OutputEncoding): IndexedOutput {
  const starts: number[] = [];
  if (write.format === 'csv') {
    const index = createRecordIndex();
    const tokenizer = new Tokenizer(dialectOf(write), { skipBlankLines: 'never' });
    for (let at = 0; at < bytes.length;) {
      const next = tokenizer.tokenize(bytes, at, bytes.length, true, index, RECORDS_PER_STEP);
      for (let i = 0; i < index.recordCount; i++) starts.push(index.recordStarts[i] ?? 0);
      if (next === at) break;
      at = next;
    }
  } else {
    // One JSON object a line; in a JSON array each line is led by ",\n".
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < text.length;) {
      const end = text.indexOf(0x0a, at);
      const stop = end < 0 ? text.length : end + 1;
      if (text[at] === 0x7b) starts.push(at);
      at = stop;
    }
  }
  return { bytes, starts: Uint32Array.from([...starts, bytes.length]) };
}

function csvCells(bytes: Uint8Array, write: OutputEncoding, nullstr: readonly string[]): Cells[] {
  const dialect = dialectOf(write);
  const index = createRecordIndex();
  const tokenizer = new Tokenizer(dialect, { skipBlankLines: 'never' });
  tokenizer.tokenize(bytes, 0, bytes.length, true, index);
  // Where the plan says what NULL is written as, another cell of that text is quoted.
  const isNull = (text: string, raw: string): boolean =>
    write.nullstr === null ? nullstr.includes(text) : raw === write.nullstr;
  return cellsOf(bytes, index, dialect, isNull);
}

/** Cells of JSON objects, one a line; numbers keep all their digits. */
function jsonCells(bytes: Uint8Array, columns: readonly Column[]): Cells[] {
  const lines = new TextDecoder().decode(bytes).split('\n');
  const objects = lines.filter((line) => line.startsWith('{'));
  const text = objects.map((line) => line.replace(/,$/, '')).join('\n');
  const names = columns.map(({ name }) => name);
  const index = createRecordIndex();
  const batch = readNdjson(new TextEncoder().encode(text), names, index);
  invariant(batch.faults.length === 0, 'an output holds objects of the output columns alone');
  return cellsOf(batch.bytes, index, RFC_4180, (_text, raw) => raw === '');
}

/** `isNull` is asked with the text, and the field as it stands, quotes included. */
function cellsOf(
  bytes: Uint8Array,
  index: RecordIndex,
  dialect: Dialect,
  isNull: (text: string, raw: string) => boolean,
): Cells[] {
  const records: Cells[] = [];
  for (let record = 0; record < index.recordCount; record++) {
    const cells: Cells = [];
    const last = index.recordFields[record + 1] ?? 0;
    for (let field = index.recordFields[record] ?? 0; field < last; field++) {
      const start = index.fieldStarts[field] ?? 0;
      const end = index.fieldEnds[field] ?? start;
      const text = fieldText(bytes, start, end, dialect);
      const raw = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
      cells.push(isNull(text, raw) ? null : text);
    }
    records.push(cells);
  }
  return records;
}
