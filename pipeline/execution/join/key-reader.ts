import type { ColumnType } from '../../protocol/job.ts';
import type { Batch } from '../batch.ts';
import { CellReader } from '../cell-reader.ts';
import { sourceOf, type ColumnView } from '../column-view.ts';
import type { ChunkContext } from '../context.ts';
import type { OperatorSink } from '../operator.ts';
import { ValueLoader } from '../value-loader.ts';
import { ValueVector } from '../vectors.ts';

/** A column that takes part in a key, and the type in which it is compared. */
export interface KeyColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/**
 * Reads the keys of records as bytes that are equal when the values are, on either side of a join.
 * A text is its length and its bytes; a value is a tag and 8 bytes: those of a double, or of an int64
 * where no double is exact.
 */
export class KeyReader {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  length = 0;
  private view = new DataView(this.bytes.buffer);
  private readonly loaders: ValueLoader[] = [];
  private readonly parts: readonly KeyPart[];

  constructor(keys: readonly KeyColumn[], view: ColumnView, context: ChunkContext) {
    this.parts = keys.map(({ name, type }) => this.partOf(name, type, view, context));
  }

  /** Casts the key columns of a batch. Records that do not cast leave the selection, as everywhere. */
  load(batch: Batch, sink: OperatorSink): void {
    for (const loader of this.loaders) loader.apply(batch, sink);
  }

  /** Makes the record's key `bytes[0, length)`; false when a part of it is NULL. */
  read(batch: Batch, record: number): boolean {
    this.length = 0;
    for (const part of this.parts) {
      const isThere =
        'cells' in part ? this.text(part.cells, batch, record) : this.value(part, record);
      if (!isThere) return false;
    }
    return true;
  }

  private partOf(name: string, type: ColumnType, view: ColumnView, context: ChunkContext): KeyPart {
    const source = sourceOf(view, name);
    const own = view.inputs[source]!.type;
    if (type === 'string') return { cells: new CellReader(view, source, context) };
    const vector = view.vectors[source];
    if (vector instanceof ValueVector) return { vector, isDouble: type === 'number' };
    const as = own === 'string' ? type : own;
    const loader = new ValueLoader({ column: source, as: as }, view, context);
    this.loaders.push(loader);
    return { vector: loader.vector, isDouble: type === 'number' };
  }

  private text(cells: CellReader, batch: Batch, record: number): boolean {
    if (cells.isNull(batch, record)) return false;
    const { bytes, start, end } = cells.slice;
    const size = end - start;
    this.reserve(size + 4);
    this.view.setUint32(this.length, size, true);
    const target = this.bytes;
    let at = this.length + 4;
    for (let i = start; i < end; i++) target[at++] = bytes[i]!;
    this.length = at;
    return true;
  }

  private value({ vector, isDouble }: ValuePart, record: number): boolean {
    if (vector.valid[record] === 0) return false;
    this.reserve(9);
    const exact = isDouble || vector.exact.size === 0 ? undefined : vector.exact.get(record);
    this.bytes[this.length] = exact === undefined ? 0 : 1;
    if (exact === undefined) {
      const value = vector.values[record]!;
      // + 0: zero has one sign here. A NaN equals a NaN, as in DuckDB.
      this.view.setFloat64(this.length + 1, Number.isNaN(value) ? NaN : value + 0, true);
    } else this.view.setBigInt64(this.length + 1, exact, true);
    this.length += 9;
    return true;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array((this.length + more) * 2);
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

interface ValuePart {
  readonly vector: ValueVector;
  readonly isDouble: boolean;
}

type KeyPart = { readonly cells: CellReader } | ValuePart;
