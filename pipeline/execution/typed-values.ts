import type { Load } from '../plan/expression/bound.ts';
import type { Column } from '../protocol/job.ts';
import { parseBoolean } from '../values/boolean.ts';
import { parseDouble, parseInteger } from '../values/number.ts';
import { parseDate, parseTimestamp } from '../values/timestamp.ts';
import { ALTERED_RECORD, type Batch } from './batch.ts';
import type { ChunkContext } from './context.ts';
import { FieldReader } from './field-reader.ts';
import type { OperatorSink } from './operator.ts';

const DAY_MICROS = 86_400_000_000;

/** From here on neighbouring integers share a double, so ties are settled exactly. */
const EXACT_MAX = Number.MAX_SAFE_INTEGER;

/** Typed values of one column, by position of the record in its batch. */
export class ValueVector {
  values = new Float64Array(0);
  valid = new Uint8Array(0);
  /** Exact values of the integers and times that are not safe as doubles. */
  readonly exact = new Map<number, bigint>();

  reserve(recordCount: number): void {
    this.exact.clear();
    if (recordCount <= this.values.length) return;
    this.values = new Float64Array(recordCount * 2);
    this.valid = new Uint8Array(recordCount * 2);
  }

  exactAt(record: number): bigint {
    return this.exact.get(record) ?? BigInt(this.values[record] ?? 0);
  }
}

/**
 * Reads one column's texts as values of a type. A text that does not cast follows `on_error`: its
 * record is rejected, or the cell becomes NULL, in the output too.
 */
export class ValueLoader {
  readonly vector = new ValueVector();
  private readonly load: Load;
  private readonly columnName: string;
  private readonly blankFaults: boolean;
  private readonly reader: FieldReader;

  /** `load.column` is a position in the context's columns. */
  constructor(load: Load, column: Column, context: ChunkContext) {
    this.load = load;
    this.columnName = column.name;
    this.blankFaults = context.onError === 'null';
    this.reader = new FieldReader(context);
  }

  /** Fills the vector for the selected records, and removes those that do not cast. */
  apply(batch: Batch, sink: OperatorSink): void {
    const { bytes, index, selection } = batch;
    const { recordFields, fieldStarts, fieldEnds } = index;
    const { vector, reader } = this;
    const { column } = this.load;
    vector.reserve(index.recordCount);
    const { values, valid } = vector;
    let kept = 0;
    for (let i = 0; i < batch.selectedCount; i++) {
      const record = selection[i]!;
      const field = recordFields[record]! + column;
      if (reader.isNull(bytes, fieldStarts[field]!, fieldEnds[field]!)) {
        valid[record] = 0;
      } else {
        const value = this.parse(record);
        if (Number.isNaN(value)) {
          valid[record] = 0;
          if (!this.takeFault(batch, record, field, sink)) continue;
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
  private takeFault(batch: Batch, record: number, field: number, sink: OperatorSink): boolean {
    const { index } = batch;
    if (this.blankFaults) {
      index.fieldEnds[field] = index.fieldStarts[field]!;
      index.recordFlags[record]! |= ALTERED_RECORD;
      return true;
    }
    const { as, column } = this.load;
    const { bytes, start, end } = this.reader.slice;
    const text = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 100)));
    const article = as === 'integer' ? 'an' : 'a';
    const name = JSON.stringify(this.columnName);
    const message = `Value ${JSON.stringify(text)} in column ${name} is not ${article} ${as}`;
    sink.reject({ record, column, code: 'type-error', message });
    return false;
  }
}
