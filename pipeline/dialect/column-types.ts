import type { ColumnType } from '../protocol/job.ts';
import { ValueKind, VALUE_KIND_COUNT } from '../values/value-kind.ts';

/** How often each `ValueKind` was seen in each column. */
export class KindCounts {
  readonly #counts: Uint32Array;

  constructor(columnCount: number) {
    this.#counts = new Uint32Array(columnCount * VALUE_KIND_COUNT);
  }

  add(column: number, kind: ValueKind): void {
    this.#counts[column * VALUE_KIND_COUNT + kind]!++;
  }

  /** Narrowest type that holds every value seen; empty cells fit all, and no value means string. */
  typeOf(column: number): ColumnType {
    const seen = (kind: ValueKind): boolean => this.#counts[column * VALUE_KIND_COUNT + kind]! > 0;
    if (seen(ValueKind.string)) return 'string';
    const isNumber = seen(ValueKind.integer) || seen(ValueKind.number);
    const isTime = seen(ValueKind.date) || seen(ValueKind.datetime);
    const isBoolean = seen(ValueKind.boolean);
    if (Number(isNumber) + Number(isTime) + Number(isBoolean) !== 1) return 'string';
    if (isBoolean) return 'boolean';
    if (isNumber) return seen(ValueKind.number) ? 'number' : 'integer';
    return seen(ValueKind.datetime) ? 'datetime' : 'date';
  }
}
