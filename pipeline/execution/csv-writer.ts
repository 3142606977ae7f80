import { RecordFlag } from '../parsing/record-index.ts';
import { FieldSlice } from '../values/field-slice.ts';
import type { Batch } from './batch.ts';
import type { ChunkContext } from './context.ts';
import { isFormula } from './formulas.ts';
import { CellReader } from './cell-reader.ts';
import type { ColumnView } from './column-view.ts';
import type { CsvKernel, FieldSpan } from './csv-kernel.ts';
import type { OutputBuffer } from './output-buffer.ts';
import type { RecordBuffer } from './record-buffer.ts';
import type { RecordWriter } from './record-writer.ts';

const LF = 0x0a;
const CR = 0x0d;
const APOSTROPHE = 0x27;

/** Columns that stand side by side in the input too: copied in one piece where nothing changes. */
interface Span extends FieldSpan {
  /** Position of a computed column among the output's, -1 for fields. */
  readonly cell: number;
}

/**
 * Writes delimited records. A field that is valid in the output's dialect keeps its bytes, quoting
 * included, unless the plan says how to quote or what NULL is; others are unquoted and quoted anew. Where
 * all columns go out as they came in, whole runs of records are taken over at once.
 */
export class CsvWriter implements RecordWriter {
  private readonly delimiter: Uint8Array;
  private readonly sources: readonly number[];
  private readonly spans: readonly Span[];
  private readonly isIdentity: boolean;
  /** Quoted fields are quoted as in RFC 4180. */
  private readonly keepsQuoted: boolean;
  /** Unquoted fields hold nothing that the output's dialect would have to quote. */
  private readonly keepsUnquoted: boolean;
  private readonly escapeFormulas: boolean;
  private readonly quote: number;
  /** Ends a record. */
  private readonly end: Uint8Array;
  /** What NULL is written as, where the plan says so. */
  private readonly nullText: Uint8Array | null;
  /** By output column: whether every cell is quoted. */
  private readonly isQuoted: readonly boolean[];
  private readonly newline: string;
  /** No unquoted field of the buffer at hand holds a line end. */
  private keepsLines = false;
  private readonly slice: FieldSlice;
  /** By output column: reads a computed one, or any where NULL matters; null for other fields. */
  private readonly cells: readonly (CellReader | null)[];
  /** Copies fields that keep their bytes; null where there are others. */
  private readonly kernel: CsvKernel | null;

  constructor(view: ColumnView, context: ChunkContext, kernel: CsvKernel | null = null) {
    const { dialect, write } = context;
    const encoder = new TextEncoder();
    this.delimiter = encoder.encode(write.delim);
    this.quote = write.quote.charCodeAt(0);
    this.end = encoder.encode(write.newline);
    this.nullText = write.nullstr === null ? null : encoder.encode(write.nullstr);
    this.isQuoted = view.columns.map(({ type }) => {
      const isNumber = type === 'integer' || type === 'number';
      return write.quoting === 'all' || (write.quoting === 'nonnumeric' && !isNumber);
    });
    this.sources = view.sources;
    this.escapeFormulas = write.escapeFormulas;
    this.newline = dialect.newline;
    const isPlain = write.quoting === 'minimal' && write.nullstr === null;
    const isSameQuote = dialect.quote === write.quote && dialect.escape === write.quote;
    this.keepsQuoted = isSameQuote && isPlain && !write.escapeFormulas;
    this.keepsUnquoted = this.keepsQuoted && dialect.delimiter === write.delim;
    this.cells = view.sources.map((source) =>
      view.vectors[source] === null && isPlain ? null : new CellReader(view, source, context),
    );
    this.spans = spansOf(view.sources, this.keepsUnquoted, context.columns.length);
    this.isIdentity =
      this.keepsUnquoted &&
      write.newline === '\n' &&
      this.spans[0]?.cell === -1 &&
      this.spans.length === 1 &&
      view.sources.length === context.columns.length;
    this.slice = new FieldSlice(dialect);
    this.kernel = kernel !== null && this.beginKernel(kernel) ? kernel : null;
  }

  begin(bytes: Uint8Array): void {
    this.keepsLines = this.newline === 'any' || !mayHoldLineEnds(bytes, this.newline);
  }

  write(batch: Batch, out: OutputBuffer): void {
    if (this.kernel !== null && this.keepsLines && this.kernel.holds(batch)) {
      this.kernel.write(batch, out, (record) => {
        this.writeRecord(batch, record, out);
      });
      return;
    }
    if (this.isIdentity && this.keepsLines) {
      this.writeRuns(batch, out);
      return;
    }
    const { selection, selectedCount } = batch;
    for (let i = 0; i < selectedCount; i++) this.writeRecord(batch, selection[i]!, out);
  }

  private beginKernel(kernel: CsvKernel): boolean {
    const { spans, isIdentity } = this;
    if (!this.keepsUnquoted || spans.length === 0 || spans.some(({ cell }) => cell >= 0)) {
      return false;
    }
    const isLone = this.sources.length === 1;
    return kernel.begin({ spans, delimiter: this.delimiter[0] ?? 0, isLone, isIdentity });
  }

  private writeRuns(batch: Batch, out: OutputBuffer): void {
    const { bytes, index, selection, selectedCount } = batch;
    const { recordStarts, recordEnds, recordFlags } = index;
    const isLone = this.sources.length === 1;
    let i = 0;
    while (i < selectedCount) {
      const record = selection[i++]!;
      const start = recordStarts[record]!;
      let end = recordEnds[record]!;
      if (recordFlags[record] !== 0 || (isLone && start === end)) {
        this.writeRecord(batch, record, out);
        continue;
      }
      while (i < selectedCount && bytes[end] === LF) {
        const next = selection[i]!;
        if (recordStarts[next] !== end + 1 || recordFlags[next] !== 0) break;
        if (isLone && recordEnds[next] === end + 1) break;
        end = recordEnds[next]!;
        i++;
      }
      if (end < bytes.length && bytes[end] === LF) {
        out.share(batch.bytes, start, end + 1);
      } else {
        out.share(batch.bytes, start, end);
        out.byte(LF);
      }
    }
  }

  writeEach(batch: Batch, out: RecordBuffer): void {
    const { bytes, index, selection, selectedCount } = batch;
    const { recordStarts, recordEnds, recordFlags } = index;
    const isLone = this.sources.length === 1;
    const isRun = this.isIdentity && this.keepsLines;
    const isPlain = (record: number): boolean =>
      recordFlags[record] === 0 && !(isLone && recordStarts[record] === recordEnds[record]);
    for (let i = 0; i < selectedCount;) {
      const record = selection[i]!;
      const first = i++;
      if (!isRun || !isPlain(record)) {
        this.writeRecord(batch, record, out);
        out.endRecord();
        continue;
      }
      const start = recordStarts[record]!;
      let end = recordEnds[record]!;
      for (; i < selectedCount && bytes[end] === LF; i++) {
        const next = selection[i]!;
        if (recordStarts[next] !== end + 1 || !isPlain(next)) break;
        end = recordEnds[next]!;
      }
      const shift = out.position - start + 1;
      out.copy(bytes, start, end);
      out.byte(LF);
      for (let at = first; at < i; at++) out.endRecordAt(recordEnds[selection[at]!]! + shift);
    }
  }

  writeRecord(batch: Batch, record: number, out: OutputBuffer): void {
    const { bytes, index } = batch;
    const { fieldStarts, fieldEnds } = index;
    const firstField = index.recordFields[record]!;
    const flags = index.recordFlags[record]!;
    const isRegular = (flags & RecordFlag.irregular) === 0;
    const keepsAll = flags === 0 && this.keepsUnquoted && this.keepsLines;
    if (keepsAll && this.sources.length > 1) {
      for (let s = 0; s < this.spans.length; s++) {
        const { first, last, cell } = this.spans[s]!;
        if (s > 0) out.copy(this.delimiter, 0, this.delimiter.length);
        if (cell >= 0) this.encodeCell(this.cells[cell]!, cell, batch, record, out);
        else out.copy(bytes, fieldStarts[firstField + first]!, fieldEnds[firstField + last]!);
      }
      out.copy(this.end, 0, this.end.length);
      return;
    }
    for (let c = 0; c < this.sources.length; c++) {
      if (c > 0) out.copy(this.delimiter, 0, this.delimiter.length);
      const cell = this.cells[c]!;
      if (cell !== null) {
        this.encodeCell(cell, c, batch, record, out);
        continue;
      }
      const field = firstField + this.sources[c]!;
      const start = fieldStarts[field]!;
      const end = fieldEnds[field]!;
      const isQuoted = start < end && bytes[start] === this.quote;
      if (isRegular && this.keepsQuoted && isQuoted) out.copy(bytes, start, end);
      else this.encode(bytes, start, end, out);
    }
    out.copy(this.end, 0, this.end.length);
  }

  /** An empty field that was quoted, or is alone in its record, is written as `""`. */
  private encode(bytes: Uint8Array, start: number, end: number, out: OutputBuffer): void {
    const { slice } = this;
    slice.point(bytes, start, end);
    this.encodeText(slice, start === end, false, out);
  }

  /** A NULL is an empty field, or what the plan says; an empty text a quoted one. */
  private encodeCell(
    cell: CellReader,
    column: number,
    batch: Batch,
    record: number,
    out: OutputBuffer,
  ): void {
    const isNull = cell.isNull(batch, record);
    const { nullText } = this;
    if (isNull && nullText !== null && nullText.length > 0) out.copy(nullText, 0, nullText.length);
    else if (isNull) this.encodeText(NO_TEXT, true, false, out);
    else this.encodeText(cell.slice, false, this.isQuoted[column]!, out);
  }

  private encodeText(slice: Text, isNull: boolean, isQuoted: boolean, out: OutputBuffer): void {
    const { quote } = this;
    const escaped = this.escapeFormulas && isFormula(slice.bytes, slice.start, slice.end);
    if (slice.start === slice.end) {
      if (isNull && this.sources.length > 1) return;
      out.reserve(2);
      out.bytes[out.position++] = quote;
      out.bytes[out.position++] = quote;
      return;
    }
    if (!isQuoted && !this.mustQuote(slice)) {
      if (escaped) out.byte(APOSTROPHE);
      out.copy(slice.bytes, slice.start, slice.end);
      return;
    }
    out.reserve(2 * (slice.end - slice.start) + 3);
    const target = out.bytes;
    let { position } = out;
    target[position++] = quote;
    if (escaped) target[position++] = APOSTROPHE;
    for (let i = slice.start; i < slice.end; i++) {
      const byte = slice.bytes[i]!;
      if (byte === quote) target[position++] = quote;
      target[position++] = byte;
    }
    target[position++] = quote;
    out.position = position;
  }

  /** A text that reads like NULL is told from it by its quotes. */
  private mustQuote({ bytes, start, end }: Text): boolean {
    const { nullText } = this;
    if (needsQuotes(bytes, start, end, this.delimiter, this.quote)) return true;
    if (nullText?.length !== end - start) return false;
    return nullText.every((byte, i) => byte === bytes[start + i]);
  }
}

type Text = Pick<FieldSlice, 'bytes' | 'start' | 'end'>;

const NO_TEXT: Text = { bytes: new Uint8Array(0), start: 0, end: 0 };

/** Whether a value must be quoted: it holds a delimiter, a quote or a line end. */
export function needsQuotes(
  bytes: Uint8Array,
  start: number,
  end: number,
  delimiter: Uint8Array,
  quote: number,
): boolean {
  const first = delimiter[0];
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === quote || byte === LF || byte === CR || byte === first) return true;
  }
  return false;
}

/** Where only one text ends a record, another line end may stand in an unquoted field. */
function mayHoldLineEnds(bytes: Uint8Array, newline: string): boolean {
  return newline !== '\n' || bytes.includes(CR);
}

function spansOf(sources: readonly number[], joins: boolean, fieldCount: number): Span[] {
  const spans: { first: number; last: number; cell: number }[] = [];
  sources.forEach((source, position) => {
    const previous = spans.at(-1);
    const isField = source < fieldCount;
    if (joins && isField && previous?.cell === -1 && previous.last === source - 1) {
      previous.last = source;
    } else {
      spans.push({ first: source, last: source, cell: isField ? -1 : position });
    }
  });
  return spans;
}
