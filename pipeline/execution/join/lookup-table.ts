import { GroupTable } from '../../aggregation/group-table.ts';
import { SluiceError } from '../../errors.ts';
import type { Step } from '../../plan/step.ts';
import type { Batch, Fault } from '../batch.ts';
import { CellReader } from '../cell-reader.ts';
import { inputView, sourceOf } from '../column-view.ts';
import { ENGINE_VERSION, PLAIN_CSV, type ChunkContext } from '../context.ts';
import { createRecordSource } from '../create-record-source.ts';
import type { SourceBatch, SourceFault } from '../record-source.ts';
import type { TextVector } from '../vectors.ts';
import { KeyReader } from './key-reader.ts';

type JoinStep = Extract<Step, { kind: 'join' }>;

/** Stands for no record of a lookup. */
export const NO_MATCH = -1;

export interface LookupTableOptions {
  readonly step: JoinStep;
  /** Bytes that the table may take; `limit-exceeded` beyond. */
  readonly memoryBytesMax: number;
}

/**
 * A lookup in memory, made for one join: the cells that the join adds, as unquoted texts one after
 * another, and an index from keys to records in typed arrays. Records of equal keys come in the
 * order of the file. Records with a NULL in their key are left away: nothing equals NULL.
 */
export class LookupTable {
  readonly #groups = new GroupTable({ groupCountMax: Infinity, keyBytesMax: Infinity });
  readonly #columnCount: number;
  readonly #memoryBytesMax: number;
  /** By group: its first record, and while the table is built its last one. */
  #firsts = new Int32Array(256);
  #lasts = new Int32Array(256);
  /** By record: the next one of its group, or NO_MATCH. */
  #nexts = new Int32Array(256);
  #recordCount = 0;
  /** By cell: where it ends in the texts, it starts at the end of the cell before; and if it is no NULL. */
  #ends = new Uint32Array(256);
  #valid = new Uint8Array(256);
  #texts = new Uint8Array(4096);
  #textLength = 0;

  /** Reads a lookup's text. Throws `input-malformed` for a record that cannot be read: `details` say
   *  record, line and column, from 1. */
  constructor(text: Uint8Array, { step, memoryBytesMax }: LookupTableOptions) {
    this.#columnCount = step.adds.length;
    this.#memoryBytesMax = memoryBytesMax;
    const context = lookupContext(step);
    const view = inputView(context);
    const keys = step.on.map(({ lookupColumn, type }) => ({ name: lookupColumn, type }));
    const reader = new KeyReader(keys, view, context);
    const cells = step.adds.map(
      ({ lookupColumn }) => new CellReader(view, sourceOf(view, lookupColumn), context),
    );
    for (const source of createRecordSource(context, null).batches(text)) {
      this.#take(source, reader, cells);
    }
    this.#lasts = new Int32Array(0);
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Bytes of its arrays. */
  get memoryBytes(): number {
    const lists = [this.#firsts, this.#lasts, this.#nexts, this.#ends, this.#valid, this.#texts];
    return lists.reduce((sum, { byteLength }) => sum + byteLength, this.#groups.bytes);
  }

  /** The first record with the key `key[0, length)`, or NO_MATCH. */
  first(key: Uint8Array, length: number): number {
    const group = this.#groups.find(key, length);
    return group < 0 ? NO_MATCH : this.#firsts[group]!;
  }

  /** The next record of the same key, or NO_MATCH. */
  next(record: number): number {
    return this.#nexts[record]!;
  }

  /** Makes the cell of an added column the text of `target` at `position`. */
  copyCell(record: number, column: number, target: TextVector, position: number): void {
    const cell = record * this.#columnCount + column;
    if (this.#valid[cell] === 0) target.valid[position] = 0;
    else target.copy(position, this.#texts, this.#ends[cell - 1] ?? 0, this.#ends[cell]!);
  }

  #take(source: SourceBatch, keys: KeyReader, cells: readonly CellReader[]): void {
    const [unreadable] = source.faults;
    if (unreadable !== undefined) throw faultAt(unreadable);
    const { batch } = source;
    const reject = ({ record, column, message }: Fault): never => {
      throw faultAt({ ...source.placeOf(record), column, message });
    };
    keys.load(batch, {
      reject,
      filtered: unreachable,
      warned: unreachable,
      aggregated: unreachable,
    });
    for (let i = 0; i < batch.selectedCount; i++) {
      const record = batch.selection[i]!;
      if (keys.read(batch, record)) this.#add(keys, batch, record, cells);
    }
    this.#refuseTooLarge();
  }

  #add(keys: KeyReader, batch: Batch, position: number, cells: readonly CellReader[]): void {
    const record = this.#recordCount++;
    const { count } = this.#groups;
    const group = this.#groups.groupOf(keys.bytes, keys.length);
    this.#firsts = roomFor(this.#firsts, group);
    this.#lasts = roomFor(this.#lasts, group);
    this.#nexts = roomFor(this.#nexts, record);
    if (group === count) this.#firsts[group] = record;
    else this.#nexts[this.#lasts[group]!] = record;
    this.#lasts[group] = record;
    this.#nexts[record] = NO_MATCH;
    cells.forEach((cell, column) => {
      this.#addCell(record * this.#columnCount + column, cell, batch, position);
    });
  }

  #addCell(at: number, cell: CellReader, batch: Batch, position: number): void {
    this.#ends = roomFor(this.#ends, at);
    this.#valid = roomFor(this.#valid, at);
    const isNull = cell.isNull(batch, position);
    this.#valid[at] = isNull ? 0 : 1;
    if (!isNull) {
      const { bytes, start, end } = cell.slice;
      this.#texts = roomFor(this.#texts, this.#textLength + end - start);
      this.#texts.set(bytes.subarray(start, end), this.#textLength);
      this.#textLength += end - start;
    }
    this.#ends[at] = this.#textLength;
  }

  #refuseTooLarge(): void {
    const { memoryBytes } = this;
    if (memoryBytes <= this.#memoryBytesMax) return;
    const message =
      `The lookup takes more than ${megabytes(this.#memoryBytesMax)} of memory with ` +
      `${this.#recordCount} records read: leave out columns and records that the plan does not need`;
    throw new SluiceError('limit-exceeded', message, {
      details: { memoryBytes, memoryBytesMax: this.#memoryBytesMax },
    });
  }
}

/** How a lookup's text is read: as a chunk. */
export function lookupContext({
  lookup: { format, dialect, columns },
  nullstr,
}: Pick<JoinStep, 'lookup' | 'nullstr'>): ChunkContext {
  return {
    ...{ engine: ENGINE_VERSION, input: 'chunk', format, dialect, columns, nullstr },
    onError: 'reject',
    nullPadding: false,
    steps: [],
    write: PLAIN_CSV,
    exchange: null,
  };
}

function faultAt({
  record,
  line,
  column,
  message,
}: Pick<SourceFault, 'record' | 'line' | 'column' | 'message'>): SluiceError {
  return new SluiceError('input-malformed', message, {
    details: { record: record + 1, line: line + 1, ...(column < 0 ? {} : { column: column + 1 }) },
  });
}

function unreachable(): never {
  throw new SluiceError('internal', 'invariant: keys are read, nothing else');
}

function roomFor<
  T extends Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
>(array: T, position: number): T {
  if (position < array.length) return array;
  const grown = new (array.constructor as new (length: number) => T)((position + 1) * 2);
  grown.set(array);
  return grown;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
