import type { ColumnType } from '../protocol/job.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { compareHeld, heldOf, readHeld, writeHeld, type Held } from './held.ts';
import type { InputCell } from './input-cell.ts';
import type { MeasureState, OrderCells } from './measure-state.ts';
import { scalarText } from './scalar-text.ts';
import type { MeasureShape } from './shape.ts';

interface Entry {
  readonly value: Held;
  readonly keys: readonly Held[];
  /** Of its record among all that were aggregated. */
  readonly position: number;
}

/**
 * first, last and any_value: one value a group, by the order of the records, or by what ORDER BY says
 * and then by theirs.
 */
export class OrderedState implements MeasureState {
  readonly #measure: MeasureShape;
  readonly #type: ColumnType;
  readonly #cells: OrderCells | null;
  readonly #groups: (Entry | undefined)[] = [];
  #positionsEnd = 0;

  /** `cells` read what the records are ordered and filtered by; a merger has none. */
  constructor(measure: MeasureShape, type: ColumnType, cells: OrderCells | null) {
    this.#measure = measure;
    this.#type = type;
    this.#cells = cells;
  }

  get positionsEnd(): number {
    return this.#positionsEnd;
  }

  reserve(count: number): void {
    while (this.#groups.length < count) this.#groups.push(undefined);
  }

  add(group: number, cell: InputCell, position: number): void {
    const filter = this.#cells?.filter ?? null;
    if (filter !== null && (filter.isNull || filter.scalar !== 1)) return;
    if (cell.isNull && this.#measure.function === 'any_value') return;
    const keys = this.#cells?.order.map(heldOf) ?? [];
    this.#take(group, { value: heldOf(cell), keys, position });
  }

  write(group: number, writer: ByteWriter): void {
    const block = new ByteWriter();
    const entry = this.#groups[group];
    if (entry !== undefined) {
      writeHeld(block, entry.value);
      for (const key of entry.keys) writeHeld(block, key);
      block.count(entry.position);
    }
    writer.block(block.finish());
  }

  merge(group: number, reader: ByteReader, offset: number): void {
    const block = new ByteReader(reader.block());
    if (block.done) return;
    const value = readHeld(block, this.#type);
    const keys = (this.#measure.order ?? []).map(({ type }) => readHeld(block, type));
    this.#take(group, { value, keys, position: block.count() + offset });
  }

  text(group: number): string | Uint8Array | null {
    const value = this.#groups[group]?.value ?? null;
    return value === null || value instanceof Uint8Array ? value : scalarText(value, this.#type);
  }

  #take(group: number, entry: Entry): void {
    const other = this.#groups[group];
    if (entry.position >= this.#positionsEnd) this.#positionsEnd = entry.position + 1;
    if (other === undefined) {
      this.#groups[group] = entry;
      return;
    }
    const { function: fn, order = [] } = this.#measure;
    const difference =
      compareHeld(order, entry.keys, other.keys) || entry.position - other.position;
    if (fn === 'last' ? difference > 0 : difference < 0) this.#groups[group] = entry;
  }
}
