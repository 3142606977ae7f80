import type { Load } from '../plan/expression/bound.ts';
import type { ColumnType } from '../protocol/job.ts';
import { parseBoolean } from '../values/boolean.ts';
import type { FieldSlice } from '../values/field-slice.ts';
import { parseDouble, parseInteger } from '../values/number.ts';
import { parseDate, parseTimestamp } from '../values/timestamp.ts';
import { ALTERED_RECORD, type Batch } from './batch.ts';
import { CellReader } from './cell-reader.ts';
import type { ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import type { OperatorSink } from './operator.ts';
import { ValueVector } from './vectors.ts';

const DAY_MICROS = 86_400_000_000;

/** From here on neighbouring integers share a double, so ties are settled exactly. */
const EXACT_MAX = Number.MAX_SAFE_INTEGER;

/**
 * Reads one column's texts as values of a type. A text that does not cast follows `on_error`: its
 * record is rejected, or the cell becomes NULL, in the output too.
 */
export class ValueLoader {
  readonly vector = new ValueVector();
  private readonly load: Load;
  private readonly columnName: string;
  private readonly blankFaults: boolean;
  private readonly fieldCount: number;
  private readonly reader: CellReader;

  /** `load.column` is a source of the view. */
  constructor(load: Load, view: ColumnView, context: ChunkContext) {
    this.load = load;
    this.columnName = view.inputs[load.column]!.name;
    this.fieldCount = context.columns.length;
    this.blankFaults = context.onError === 'null';
    this.reader = new CellReader(view, load.column, context);
  }

  /** Fills the vector for the selected records, and removes those that do not cast. */
  apply(batch: Batch, sink: OperatorSink): void {
    const { selection } = batch;
    const { vector, reader } = this;
    vector.reserve(batch.index.recordCount);
    const { values, valid } = vector;
    let kept = 0;
    for (let i = 0; i < batch.selectedCount; i++) {
      const record = selection[i]!;
      if (reader.isNull(batch, record)) {
        valid[record] = 0;
      } else {
        const value = this.parse(record);
        if (Number.isNaN(value)) {
          valid[record] = 0;
          if (!this.takeFault(batch, record, sink)) continue;
        } else {
          valid[record] = 1;
          values[record] = value;
        }
      }
      selection[kept++] = record;
    }
    batch.selectedCount = kept;
  }

  /** The slice as a value; NaN when it does not cast. */
  private parse(record: number): number {
    const { bytes, start, end } = this.reader.slice;
    switch (this.load.as) {
      case 'number':
        return parseDouble(bytes, start, end);
      case 'integer':
        return this.safe(record, parseInteger(bytes, start, end));
      case 'boolean': {
        const value = parseBoolean(bytes, start, end);
        return value === null ? NaN : value ? 1 : 0;
      }
      case 'date': {
        const days = parseDate(bytes, start, end);
        return days === null ? NaN : this.safe(record, days * DAY_MICROS);
      }
      case 'datetime':
        return this.safe(record, parseTimestamp(bytes, start, end));
    }
  }

  private safe(record: number, value: number | bigint | null): number {
    if (value === null) return NaN;
    if (typeof value === 'number' && value <= EXACT_MAX && value >= -EXACT_MAX) return value;
    this.vector.exact.set(record, BigInt(value));
    return Number(value);
  }

  /** True when the record stays, its cell blanked. */
  private takeFault(batch: Batch, record: number, sink: OperatorSink): boolean {
    const { as, column } = this.load;
    if (this.blankFaults) {
      this.blank(batch, record);
      return true;
    }
    const message = typeErrorText(this.reader.slice, this.columnName, as);
    const place = column < this.fieldCount ? column : -1;
    sink.reject({ record, column: place, code: 'type-error', message });
    return false;
  }

  private blank({ index }: Batch, record: number): void {
    const { vector } = this.reader;
    if (vector !== null) {
      vector.valid[record] = 0;
      return;
    }
    const field = index.recordFields[record]! + this.load.column;
    index.fieldEnds[field] = index.fieldStarts[field]!;
    index.recordFlags[record]! |= ALTERED_RECORD;
  }
}

/** Says that the text in `slice` is no value of the column's type. */
export function typeErrorText(slice: FieldSlice, columnName: string, type: ColumnType): string {
  const { bytes, start, end } = slice;
  const text = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 100)));
  const article = type === 'integer' ? 'an' : 'a';
  const name = JSON.stringify(columnName);
  return `Value ${JSON.stringify(text)} in column ${name} is not ${article} ${type}`;
}
