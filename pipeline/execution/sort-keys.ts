import type { KeyArena } from '../exchange/key-arena.ts';
import type { SortKey } from '../plan/step.ts';
import type { ColumnType } from '../protocol/job.ts';
import type { Batch } from './batch.ts';
import { CellReader } from './cell-reader.ts';
import { positionOf, type ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import type { OperatorSink } from './operator.ts';
import { ValueLoader } from './value-loader.ts';
import { ValueVector } from './vectors.ts';

/** One column of the keys: texts are read as they stand, other types as values. */
interface KeyColumn extends SortKey {
  readonly type: ColumnType;
  readonly reader: CellReader | null;
  readonly vector: ValueVector | null;
}

/** Makes the records' keys by the types of their columns, see `KeyArena`. */
export class SortKeys {
  private readonly columns: readonly KeyColumn[];
  private readonly loaders: ValueLoader[] = [];

  constructor(keys: readonly SortKey[], view: ColumnView, context: ChunkContext) {
    this.columns = keys.map((key) => {
      const position = positionOf(view, key.column);
      const source = view.sources[position]!;
      const { type } = view.columns[position]!;
      if (type === 'string') {
        return { ...key, type, reader: new CellReader(view, source, context), vector: null };
      }
      const computed = view.vectors[source];
      if (computed instanceof ValueVector) {
        return { ...key, type, reader: null, vector: computed };
      }
      const loader = new ValueLoader({ column: source, as: type }, view, context);
      this.loaders.push(loader);
      return { ...key, type, reader: null, vector: loader.vector };
    });
  }

  /** Reads the values; records with one that does not cast leave the selection. */
  load(batch: Batch, sink: OperatorSink): void {
    for (const loader of this.loaders) loader.apply(batch, sink);
  }

  /** Adds the key of a record that was loaded, and does not end it. Returns whether a part of it is
   *  NULL. */
  append(batch: Batch, record: number, arena: KeyArena): boolean {
    let hasNull = false;
    for (let c = 0; c < this.columns.length; c++) {
      const { type, reader, vector, desc, nulls } = this.columns[c]!;
      if (reader !== null) {
        if (reader.isNull(batch, record)) {
          arena.null(nulls === 'first');
          hasNull = true;
        } else {
          const { slice } = reader;
          arena.text(slice.bytes, slice.start, slice.end, desc);
        }
      } else if (vector!.valid[record] === 0) {
        arena.null(nulls === 'first');
        hasNull = true;
      } else appendValue(vector!, record, type, desc, arena);
    }
    return hasNull;
  }
}

function appendValue(
  vector: ValueVector,
  record: number,
  type: ColumnType,
  desc: boolean,
  arena: KeyArena,
): void {
  const value = vector.values[record]!;
  if (type === 'boolean') arena.boolean(value !== 0, desc);
  else if (type === 'number') arena.double(value, desc);
  else {
    const exact = vector.exact.size > 0 ? vector.exact.get(record) : undefined;
    if (exact === undefined) arena.integer(value, desc);
    else arena.bigint(exact, desc);
  }
}
