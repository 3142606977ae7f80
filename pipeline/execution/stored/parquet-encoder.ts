import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { SluiceError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { Column } from '../../protocol/job.ts';
import type { Batch, Fault } from '../batch.ts';
import { CellReader } from '../cell-reader.ts';
import { inputView } from '../column-view.ts';
import { PLAIN_CSV, type ChunkContext } from '../context.ts';
import { createRecordSource } from '../create-record-source.ts';
import { ValueLoader } from '../value-loader.ts';
import type { ValueVector } from '../vectors.ts';
import { parquetSchema } from './parquet-schema.ts';
import { storedContext, storedRecords, type StoredEncoding } from './stored-output.ts';

const DAY_MICROS = 86_400_000_000;

/** Values of a row group of many columns stay within some 100 MiB. */
const GROUP_VALUES_MAX = 1_000_000;
const GROUP_RECORDS_MAX = 100_000;

type Value = string | number | bigint | boolean | null;

/**
 * Makes a Parquet file of stored outputs, in order: a row group or more for each. Holds one row group
 * at a time, and what the footer says of all of them.
 */
export class ParquetEncoder {
  private readonly stored: StoredEncoding;
  private readonly context: ChunkContext;
  private readonly bytes = new ByteWriter(1024 * 1024);
  private readonly writer: ParquetWriter;
  private readonly columns: readonly ParquetColumn[];
  private readonly groupRecordsMax: number;
  private groupRecords = 0;
  private groupCount = 0;

  constructor(stored: StoredEncoding) {
    this.stored = stored;
    this.context = storedContext(stored, PLAIN_CSV);
    const { columns } = stored;
    this.writer = new ParquetWriter({ writer: this.bytes, schema: parquetSchema(columns) });
    this.columns = columns.map((column, at) => new ParquetColumn(column, at, this.context));
    const ofValues = Math.floor(GROUP_VALUES_MAX / Math.max(1, columns.length));
    this.groupRecordsMax = Math.max(1, Math.min(GROUP_RECORDS_MAX, ofValues));
  }

  /** The next bytes of the file, from the next stored output: a piece for each row group. Throws
   *  `input-malformed` for a value that is not of its column's type, and `limit-exceeded`. */
  *add(output: Uint8Array): Generator<Uint8Array> {
    const records = storedRecords(output, this.stored);
    for (const { batch } of createRecordSource(this.context, null).batches(records)) {
      for (const column of this.columns) column.load(batch);
      for (let i = 0; i < batch.selectedCount; i++) {
        const record = batch.selection[i]!;
        for (const column of this.columns) column.add(batch, record);
        if (++this.groupRecords === this.groupRecordsMax) yield this.endGroup();
      }
    }
    if (this.groupRecords > 0) yield this.endGroup();
  }

  /** The end of the file. */
  finish(): Uint8Array {
    void this.writer.finish();
    return this.taken();
  }

  private endGroup(): Uint8Array {
    this.groupCount++;
    if (this.groupCount * this.columns.length > LIMITS.parquetColumnChunksMax) {
      throw new SluiceError(
        'limit-exceeded',
        `The result is too large for one Parquet file: its ${this.columns.length} columns ` +
          `make more than ${LIMITS.parquetColumnChunksMax} column chunks. Take fewer columns, or csv`,
        { details: { parquetColumnChunksMax: LIMITS.parquetColumnChunksMax } },
      );
    }
    const columnData = this.columns.map((column) => column.take());
    const rowGroupSize = this.groupRecords;
    void this.writer.write({ columnData, rowGroupSize });
    this.groupRecords = 0;
    return this.taken();
  }

  /** What was written since the last call. */
  private taken(): Uint8Array {
    const bytes = this.bytes.getBytes().slice();
    this.bytes.index = 0;
    return bytes;
  }
}

/** One column of the row group that is being filled. */
class ParquetColumn {
  private readonly column: Column;
  private readonly cells: CellReader | null;
  private readonly loader: ValueLoader | null;
  private values: Value[] = [];

  constructor(column: Column, position: number, context: ChunkContext) {
    const view = inputView(context);
    const { type } = column;
    this.column = column;
    this.cells = type === 'string' ? new CellReader(view, position, context) : null;
    this.loader =
      type === 'string' ? null : new ValueLoader({ column: position, as: type }, view, context);
  }

  load(batch: Batch): void {
    this.loader?.apply(batch, REFUSING);
  }

  add(batch: Batch, record: number): void {
    const { cells, loader } = this;
    if (cells !== null) {
      const isNull = cells.isNull(batch, record);
      const { bytes, start, end } = cells.slice;
      this.values.push(isNull ? null : Buffer.from(bytes.subarray(start, end)).toString());
    } else this.values.push(this.valueOf(loader!.vector, record));
  }

  take() {
    const { name } = this.column;
    const data = this.values;
    this.values = [];
    return { name, data, offsetIndex: false };
  }

  private valueOf(vector: ValueVector, record: number): Value {
    if (vector.valid[record] === 0) return null;
    const value = vector.values[record]!;
    switch (this.column.type) {
      case 'integer':
      case 'datetime':
        return vector.exactAt(record);
      case 'boolean':
        return value !== 0;
      case 'date':
        return value / DAY_MICROS;
      default:
        return value;
    }
  }
}

const nothing = (): void => undefined;
const REFUSING = { reject: refuse, filtered: nothing, aggregated: nothing, warned: nothing };

function refuse({ message }: Fault): never {
  throw new SluiceError(
    'input-malformed',
    `${message}, and a Parquet column holds values of its type alone: cast it`,
  );
}
