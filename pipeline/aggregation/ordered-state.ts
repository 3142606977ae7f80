import { SluiceError } from '../errors.ts';
import type { ColumnType } from '../protocol/job.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import type { InputCell } from './input-cell.ts';
import type { MeasureState, OrderCells } from './measure-state.ts';
import { scalarText } from './scalar-text.ts';
import type { MeasureShape } from './shape.ts';
import { compareValues } from './value-counts.ts';

/** Bytes of the texts that one string_agg holds, of all its groups. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;
/** What an entry costs besides its text. */
const ENTRY_BYTES = 100;

type Held = number | bigint | Uint8Array | null;

interface Entry {
  readonly value: Held;
  readonly keys: readonly Held[];
  /** Of its record among all that were aggregated. */
  readonly position: number;
}

/**
 * first, last, any_value and string_agg: values in the order of their records, or of what ORDER BY
 * says and then of their records. All but string_agg hold one value a group.
 */
export class OrderedState implements MeasureState {
  readonly #measure: MeasureShape;
  readonly #type: ColumnType;
  readonly #cells: OrderCells | null;
  readonly #groups: (Entry[] | undefined)[] = [];
  #bytes = 0;
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
    const { function: fn } = this.#measure;
    if (cell.isNull && fn !== 'first' && fn !== 'last') return;
    const keys = this.#cells?.order.map(heldOf) ?? [];
    this.#take(group, { value: heldOf(cell), keys, position });
  }

  write(group: number, writer: ByteWriter): void {
    const block = new ByteWriter();
    for (const { value, keys, position } of this.#sorted(group)) {
      writeHeld(block, value);
      for (const key of keys) writeHeld(block, key);
      block.count(position);
    }
    writer.block(block.finish());
  }

  merge(group: number, reader: ByteReader, offset: number): void {
    const block = new ByteReader(reader.block());
    const keyTypes = this.#measure.order ?? [];
    while (!block.done) {
      const value = readHeld(block, this.#type);
      const keys = keyTypes.map(({ type }) => readHeld(block, type));
      this.#take(group, { value, keys, position: block.count() + offset });
    }
  }

  text(group: number): string | Uint8Array | null {
    const entries = this.#sorted(group);
    const [first] = entries;
    if (first === undefined) return null;
    if (this.#measure.function !== 'string_agg') return this.#textOf(first.value);
    const separator = Buffer.from(String(this.#measure.parameter));
    const texts = entries.map(({ value }) => value as Uint8Array);
    return Buffer.concat(texts.flatMap((text, i) => (i === 0 ? [text] : [separator, text])));
  }

  #textOf(value: Held): string | Uint8Array | null {
    return value === null || value instanceof Uint8Array ? value : scalarText(value, this.#type);
  }

  #take(group: number, entry: Entry): void {
    const held = this.#groups[group];
    const { function: fn } = this.#measure;
    if (entry.position >= this.#positionsEnd) this.#positionsEnd = entry.position + 1;
    if (fn === 'string_agg') {
      this.#bytes += ENTRY_BYTES + (entry.value as Uint8Array).length;
      if (this.#bytes > TEXT_BYTES_MAX) throw tooLong(this.#bytes);
      if (held === undefined) this.#groups[group] = [entry];
      else held.push(entry);
      return;
    }
    const [other] = held ?? [];
    const order = other === undefined ? -1 : this.#compare(entry, other);
    if (other === undefined || (fn === 'last' ? order > 0 : order < 0)) {
      this.#groups[group] = [entry];
    }
  }

  #sorted(group: number): readonly Entry[] {
    return [...(this.#groups[group] ?? [])].sort((left, right) => this.#compare(left, right));
  }

  #compare(left: Entry, right: Entry): number {
    const order = this.#measure.order ?? [];
    for (const [i, { desc, nulls }] of order.entries()) {
      const a = left.keys[i] ?? null;
      const b = right.keys[i] ?? null;
      if (a === null || b === null) {
        if (a === b) continue;
        return (a === null) === (nulls === 'first') ? -1 : 1;
      }
      const difference = compareValues(a, b);
      if (difference !== 0) return desc ? -difference : difference;
    }
    return left.position - right.position;
  }
}

function heldOf(cell: InputCell): Held {
  if (cell.isNull) return null;
  if (cell.type !== 'string') return cell.scalar;
  const { bytes, start, end } = cell.slice;
  return bytes.slice(start, end);
}

function writeHeld(writer: ByteWriter, value: Held): void {
  writer.byte(value === null ? 0 : 1);
  if (value instanceof Uint8Array) writer.block(value);
  else if (value !== null) writer.scalar(value);
}

function readHeld(reader: ByteReader, type: ColumnType): Held {
  if (reader.byte() === 0) return null;
  return type === 'string' ? reader.block().slice() : reader.scalar();
}

function tooLong(bytes: number): SluiceError {
  const message = `string_agg holds more than ${String(TEXT_BYTES_MAX)} bytes of texts`;
  return new SluiceError('group-limit', message, { details: { bytes, bytesMax: TEXT_BYTES_MAX } });
}
