import type { Batch, Fault } from '../execution/batch.ts';
import type { Vector } from '../execution/vectors.ts';
import { LIMITS } from '../limits.ts';
import type { Dialect } from '../parsing/dialect.ts';
import type { Column, ColumnType } from '../protocol/job.ts';
import { NullTexts } from '../values/null-texts.ts';
import { GroupTable } from './group-table.ts';
import { InputCell } from './input-cell.ts';
import { KeyEncoder } from './key-encoder.ts';
import type { MeasureState, OrderCells } from './measure-state.ts';
import { measureState } from './measure-states.ts';
import { encodeAggregate } from './partial-codec.ts';
import { shapeOf, type AggregateShape, type AggregateSpec, type MeasureShape } from './shape.ts';
import { isSpread } from './spread-measures.ts';

/** Bytes of all keys of one aggregation: with the groups' own state it fits a worker's memory. */
export const AGGREGATE_LIMITS = {
  groupCountMax: LIMITS.groupCountMax,
  keyBytesMax: 128 * 1024 * 1024,
};

export interface AggregateOptions {
  /** The input's columns with their frozen types, and behind them those that were computed. */
  readonly columns: readonly Column[];
  /** By position: the vector of a computed column, null for a field. No vectors when left out. */
  readonly vectors?: readonly (Vector | null)[];
  readonly dialect: Dialect;
  readonly nullstr: readonly string[];
  /** Whether quotes tell the empty text from NULL; `nullstr` says nothing then. */
  readonly tellsEmpty: boolean;
  /** 'null' counts a value that does not cast as NULL; else its record is a fault. */
  readonly onError: 'reject' | 'null' | 'fail';
  /** Where the values of spread measures go; they are held when left out. */
  readonly values?: SpreadStates | undefined;
}

/** Makes the states of spread measures, see `isSpread`; `at` is the measure's place. */
export interface SpreadStates {
  stateOf(
    measure: MeasureShape & { readonly type: ColumnType },
    at: number,
    keyOf: (group: number) => Uint8Array,
  ): MeasureState;
}

/**
 * Groups and measures the selected records of batches. Every column it uses is cast to its frozen
 * type; a record with a value that does not cast is reported and leaves no trace in any measure.
 * Throws `group-limit`.
 */
export class AggregateAccumulator {
  readonly #shape: AggregateShape;
  readonly #columns: readonly Column[];
  readonly #castToNull: boolean;
  readonly #cells: InputCell[] = [];
  readonly #keyCells: readonly InputCell[];
  readonly #measures: readonly { readonly state: MeasureState; readonly cell: InputCell }[];
  readonly #table = new GroupTable(AGGREGATE_LIMITS);
  readonly #key = new KeyEncoder();
  /** Stands in for the column of `count(*)`. */
  readonly #noCell: InputCell;
  #records = 0;

  constructor(spec: AggregateSpec, options: AggregateOptions) {
    const { columns, dialect } = options;
    this.#shape = shapeOf(spec, columns);
    this.#columns = columns;
    this.#castToNull = options.onError === 'null';
    const nullTexts = new NullTexts(options.nullstr, options.tellsEmpty);
    this.#noCell = new InputCell(-1, 'string', dialect, nullTexts);
    const cellOf = (column: number, type: ColumnType): InputCell => {
      const known = this.#cells.find((cell) => cell.column === column && cell.type === type);
      if (known !== undefined) return known;
      const vector = options.vectors?.[column] ?? null;
      const cell = new InputCell(column, type, dialect, nullTexts, vector);
      this.#cells.push(cell);
      return cell;
    };
    this.#keyCells = spec.by.map((column, i) => cellOf(column, this.#shape.keyTypes[i]!));
    this.#measures = spec.measures.map(({ column, order, filter }, i) => {
      const measure = this.#shape.measures[i]!;
      const orderCells = {
        order: (order ?? []).map((key) => cellOf(key.column, columns[key.column]!.type)),
        filter: filter === undefined ? null : cellOf(filter, 'boolean'),
      };
      const cell = column === null ? this.#noCell : cellOf(column, measure.type!);
      return { state: this.#stateOf(measure, i, orderCells, options.values), cell };
    });
    if (spec.by.length === 0) this.#group();
  }

  /** Records accumulated so far: those selected, without the faults. */
  get records(): number {
    return this.#records;
  }

  /** Takes the batch's selected records. Returns how many it took. */
  add(batch: Batch, onFault: (fault: Fault) => void): number {
    const { selection, selectedCount } = batch;
    const measures = this.#measures;
    let taken = 0;
    for (let i = 0; i < selectedCount; i++) {
      const record = selection[i]!;
      const bad = this.#readCells(batch, record);
      if (bad !== null) {
        onFault(castFault(record, bad, this.#columns));
        continue;
      }
      const group = this.#group();
      for (let m = 0; m < measures.length; m++) {
        const measure = measures[m]!;
        measure.state.add(group, measure.cell, this.#records + taken);
      }
      taken++;
    }
    this.#records += taken;
    return taken;
  }

  /** Takes records of which no cell is read: without keys, and with measures of no column. */
  count(recordCount: number): void {
    const group = this.#group();
    for (const { state, cell } of this.#measures) {
      for (let i = 0; i < recordCount; i++) state.add(group, cell, this.#records + i);
    }
    this.#records += recordCount;
  }

  /** The groups so far, in bytes that depend on the records alone, not on their order. */
  toPartial(): Uint8Array {
    const states = this.#measures.map((measure) => measure.state);
    return encodeAggregate(this.#shape, this.#records, this.#table, states);
  }

  toGroups(): Uint8Array {
    return this.toPartial();
  }

  get keyTypes(): readonly ColumnType[] {
    return this.#shape.keyTypes;
  }

  #stateOf(
    measure: MeasureShape,
    at: number,
    cells: OrderCells,
    values: SpreadStates | undefined,
  ): MeasureState {
    const { type } = measure;
    if (values === undefined || type === null || !isSpread(measure)) {
      return measureState(measure, cells);
    }
    return values.stateOf({ ...measure, type }, at, (group) => this.#table.key(group));
  }

  /** The first cell that does not cast, or null when the record can be taken. */
  #readCells(batch: Batch, record: number): InputCell | null {
    const cells = this.#cells;
    for (let c = 0; c < cells.length; c++) {
      const cell = cells[c]!;
      if (!cell.read(batch, record) && !this.#castToNull) return cell;
    }
    return null;
  }

  /** Group of the record whose cells were read. */
  #group(): number {
    const key = this.#key;
    key.reset();
    for (let k = 0; k < this.#keyCells.length; k++) key.append(this.#keyCells[k]!);
    const before = this.#table.count;
    const group = this.#table.groupOf(key.bytes, key.length);
    if (group === before) for (const { state } of this.#measures) state.reserve(group + 1);
    return group;
  }
}

function castFault(record: number, cell: InputCell, columns: readonly Column[]): Fault {
  const { bytes, start, end } = cell.slice;
  const isField = cell.vector === null;
  const text = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 100)));
  const name = JSON.stringify(columns[cell.column]!.name);
  return {
    record,
    column: isField ? cell.column : -1,
    code: 'type-error',
    message: `Value ${JSON.stringify(text)} in column ${name} does not cast to ${cell.type}`,
  };
}
