import type { Dialect } from './dialect.ts';
import { recordTexts } from './field.ts';
import { createRecordIndex } from './record-index.ts';
import { skipLines } from './syntax.ts';
import { Tokenizer } from './tokenizer.ts';
import type { TokenizerOptions } from './tokenizer.ts';

export type ReadOptions = Partial<TokenizerOptions>;

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * Records of an input that comes in any split, as texts. A byte order mark and the dialect's
 * skipped lines are left out; the header is a record like the others. Blank lines are left out
 * unless told otherwise. Holds the record that is incomplete, and reads it again with each push:
 * made for samples and small inputs.
 */
export class RecordReader {
  readonly #dialect: Dialect;
  readonly #tokenizer: Tokenizer;
  readonly #index = createRecordIndex(16, 64);
  #held: Buffer = Buffer.alloc(0);
  #isPastPreamble = false;

  constructor(dialect: Dialect, options: ReadOptions = {}) {
    this.#dialect = dialect;
    this.#tokenizer = new Tokenizer(dialect, { skipBlankLines: 'always', ...options });
  }

  /** The records that these bytes complete. */
  push(bytes: Uint8Array): string[][] {
    return this.#read(bytes, false);
  }

  /** The last record, where it has no line end. */
  finish(): string[][] {
    return this.#read(new Uint8Array(0), true);
  }

  #read(bytes: Uint8Array, isFinal: boolean): string[][] {
    const held = this.#held.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
    const start = this.#isPastPreamble ? 0 : preambleEnd(held, this.#dialect, isFinal);
    this.#held = held;
    if (start < 0) return [];
    this.#isPastPreamble = true;
    const end = this.#tokenizer.tokenize(held, start, held.length, isFinal, this.#index);
    this.#held = held.subarray(end);
    return Array.from({ length: this.#index.recordCount }, (_, record) =>
      recordTexts(held, this.#index, record, this.#dialect),
    );
  }
}

/** All records of `bytes`, as texts. See `RecordReader`. */
export function readRecords(
  bytes: Uint8Array,
  dialect: Dialect,
  options: ReadOptions = {},
): string[][] {
  const reader = new RecordReader(dialect, options);
  return [...reader.push(bytes), ...reader.finish()];
}

/** Offset behind byte order mark and skipped lines, or -1 where it cannot be known yet. */
function preambleEnd(bytes: Uint8Array, dialect: Dialect, isFinal: boolean): number {
  if (bytes.length < BYTE_ORDER_MARK.length && !isFinal) return -1;
  const hasMark = BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte);
  const start = hasMark ? BYTE_ORDER_MARK.length : 0;
  return skipLines(bytes, start, bytes.length, isFinal, dialect.skip, dialect);
}
