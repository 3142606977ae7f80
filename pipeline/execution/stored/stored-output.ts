import { RFC_4180 } from '../../parsing/dialect.ts';
import type { Column } from '../../protocol/job.ts';
import { ENGINE_VERSION, type ChunkContext, type OutputEncoding } from '../context.ts';

/** The output of a chunk as it is stored, to be read again. */
export interface StoredEncoding {
  readonly columns: readonly Column[];
  readonly write: OutputEncoding;
  /** Texts that stand for NULL, where `write` does not say what NULL was written as. */
  readonly nullstr: readonly string[];
}

/** The context under which a stored output is read, and written as `target`. */
export function storedContext(stored: StoredEncoding, target: OutputEncoding): ChunkContext {
  const { columns, write, nullstr } = stored;
  const { delim: delimiter, quote, newline } = write;
  return {
    engine: ENGINE_VERSION,
    input: 'chunk',
    format: write.format === 'csv' ? 'csv' : 'ndjson',
    dialect: { ...RFC_4180, delimiter, quote, escape: quote, newline, header: false },
    columns,
    nullstr: write.nullstr === null ? nullstr : [write.nullstr],
    onError: 'fail',
    nullPadding: false,
    steps: [],
    write: target,
    exchange: null,
  };
}

/** The bytes as that context reads them: of a JSON array, the objects alone. */
export function storedRecords(bytes: Uint8Array, { write }: StoredEncoding): Uint8Array {
  if (write.format !== 'json') return bytes;
  // A line end in a text is escaped: each of these stands behind a comma, between two objects.
  const lines = Buffer.from(bytes);
  for (let at = lines.indexOf(LF); at >= 0; at = lines.indexOf(LF, at + 1)) {
    if (at > 0) lines[at - 1] = BLANK;
  }
  return lines;
}

const LF = 0x0a;
const BLANK = 0x20;
