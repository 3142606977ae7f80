import { invariant } from '../errors.ts';
import { AGGREGATE_LIMITS } from './aggregate-accumulator.ts';
import { encodeGroups } from './csv-groups.ts';
import { GroupTable } from './group-table.ts';
import type { MeasureState } from './measure-state.ts';
import { measureState } from './measure-states.ts';
import { encodeAggregate, readAggregateHead } from './partial-codec.ts';
import type { AggregateShape } from './shape.ts';

/**
 * Merges partials of one aggregate. The grouping of merges does not matter, and neither does their
 * order but to measures that depend on the order of records: `first`, `last`, `any_value`,
 * `string_agg`, and `mode` where several values are as frequent. The same partials give the same
 * bytes. Throws `group-limit` and `blob-corrupt`.
 */
export class AggregateMerger {
  readonly #shape: AggregateShape;
  readonly #table = new GroupTable(AGGREGATE_LIMITS);
  readonly #states: readonly MeasureState[];
  #records = 0;

  constructor(shape: AggregateShape) {
    this.#shape = shape;
    this.#states = shape.measures.map((measure) => measureState(measure));
    if (shape.keyTypes.length === 0) this.#groupOf(new Uint8Array(0));
  }

  /** Records behind the partials merged so far. */
  get records(): number {
    return this.#records;
  }

  get groupCount(): number {
    return this.#table.count;
  }

  add(partial: Uint8Array): void {
    const { shape, records, groups, reader } = readAggregateHead(partial);
    invariant(sameShape(shape, this.#shape), 'partials of different aggregates are never merged');
    const ends = this.#states.map(({ positionsEnd }) => positionsEnd ?? 0);
    const offset = Math.max(this.#records, ...ends);
    for (let i = 0; i < groups; i++) {
      const group = this.#groupOf(reader.block());
      for (const state of this.#states) state.merge(group, reader, offset);
    }
    this.#records += records;
  }

  /** All groups as one partial. */
  toPartial(): Uint8Array {
    return encodeAggregate(this.#shape, this.#records, this.#table, this.#states);
  }

  /**
   * All groups as RFC 4180 records without header: key columns, then measures. Ascending by key,
   * column by column: numbers, booleans and times by value, text by bytes, NULL last. NULL is an
   * empty field, a blank line where it is the only one, and an empty text is `""`.
   */
  toCsvChunk(): Uint8Array {
    return encodeGroups(this.#shape, this.#table, this.#states);
  }

  #groupOf(key: Uint8Array): number {
    const before = this.#table.count;
    const group = this.#table.groupOf(key, key.length);
    if (group === before) for (const state of this.#states) state.reserve(group + 1);
    return group;
  }
}

/** One partial of several. At least one must be given. */
export function mergeAggregates(partials: readonly Uint8Array[]): Uint8Array {
  const first = partials[0];
  invariant(first !== undefined, 'there is a partial to merge');
  const merger = new AggregateMerger(readAggregateHead(first).shape);
  for (const partial of partials) merger.add(partial);
  return merger.toPartial();
}

function sameShape(left: AggregateShape, right: AggregateShape): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
