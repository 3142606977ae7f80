import type { ByteReader } from '../values/byte-reader.ts';
import type { AggregateShape, MeasureShape } from './shape.ts';

/** A partial's groups, one after another. */
export class GroupCursor {
  readonly #shape: AggregateShape;
  readonly #bytes: Uint8Array;
  readonly reader: ByteReader;
  #left: number;
  #start = 0;
  key: Uint8Array | null = null;

  constructor(shape: AggregateShape, bytes: Uint8Array, reader: ByteReader, groups: number) {
    this.#shape = shape;
    this.#bytes = bytes;
    this.reader = reader;
    this.#left = groups;
    this.next();
  }

  /** Steps to the next group's key; null behind the last. The group before must have been read. */
  next(): void {
    this.#start = this.reader.position;
    this.key = this.#left > 0 ? this.reader.block() : null;
    this.#left -= 1;
  }

  /** Reads over the group's measures; returns all of the group as it stands. */
  group(): Uint8Array {
    for (const measure of this.#shape.measures) skipMeasure(measure, this.reader);
    return this.#bytes.subarray(this.#start, this.reader.position);
  }
}

/** Functions whose states are one block. */
const BLOCKS = new Set<string>([
  ...['quantile_cont', 'quantile_disc', 'approx_quantile', 'mode', 'first', 'last', 'any_value'],
  ...['string_agg', 'approx_count_distinct'],
]);

/** Whether what a measure knows of one group is one block. */
export function isBlockMeasure({ function: name, distinct }: MeasureShape): boolean {
  return distinct === true || BLOCKS.has(name);
}

/** Reads over what a measure knows of one group. */
export function skipMeasure(measure: MeasureShape, reader: ByteReader): void {
  const { function: name, type } = measure;
  if (isBlockMeasure(measure)) {
    reader.skipBlock();
  } else if (type === null || name === 'count') {
    reader.count();
  } else if (name === 'min' || name === 'max') {
    if (reader.byte() === 0) return;
    if (type === 'string') reader.skipBlock();
    else reader.skipScalar();
  } else if (reader.count() > 0) {
    // Sums: the scale and the mantissa; spreads have one of the values and one of their squares.
    for (let sums = name === 'sum' || name === 'avg' ? 1 : 2; sums > 0; sums--) {
      reader.count();
      reader.skipScalar();
    }
  }
}
