import { invariant, SluiceError } from '../errors.ts';
import type { EntryEngine } from '../exchange/entry-engine.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { SortKey } from '../plan/step.ts';
import { BuildSink } from './build-sink.ts';
import { CellReader } from './cell-reader.ts';
import { CellsWriter, type PlaceOf } from './cells-writer.ts';
import { sourceOf, viewAfter, type ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import type { CsvKernel } from './csv-kernel.ts';
import { CsvWriter } from './csv-writer.ts';
import { DistinctSink } from './distinct-sink.ts';
import { GroupSink } from './group-sink.ts';
import { KeyReader } from './join/key-reader.ts';
import { JsonWriter } from './json-writer.ts';
import { AggregateOperator } from './operators.ts';
import { OrderSink } from './order-sink.ts';
import { ProbeSink } from './probe-sink.ts';
import type { RecordSink } from './record-sink.ts';
import type { RecordWriter } from './record-writer.ts';
import { ResultSink } from './result-sink.ts';
import type { SortKernel } from './sort-kernel.ts';
import { SortKeys } from './sort-keys.ts';
import { SortSink } from './sort-sink.ts';

/** What sinks need beside the context. */
export interface SinkParts {
  readonly limits: ExchangeLimits;
  readonly engine: EntryEngine;
  readonly writer: CsvKernel | null;
  readonly sorter: SortKernel | null;
}

/** Where the records of a context go. `placeOf` is of the source's batch at hand. */
export function createRecordSink(
  view: ColumnView,
  context: ChunkContext,
  { limits, engine, writer: kernel, sorter }: SinkParts,
  operators: readonly object[],
  placeOf: PlaceOf,
): RecordSink {
  const { exchange } = context;
  if (exchange === null) return new ResultSink(finalWriter(view, context, kernel));
  // Cutting joined records off would leave some of those that a record became.
  const widens = context.steps.some(({ kind }) => kind === 'join' || kind === 'match');
  switch (exchange.kind) {
    case 'sort': {
      const take = exchange.take ?? Infinity;
      const keys = new SortKeys(exchange.keys, view, context);
      const writer = writerOf(exchange, view, context, placeOf);
      const most = widens ? Infinity : take;
      return new SortSink(keys, most, writer, limits, engine, sorter);
    }
    case 'distinct': {
      const by = exchange.by.map((name) => ascending(name));
      const keys = new SortKeys(by, view, context);
      const writer = writerOf(exchange, view, context, placeOf);
      return new DistinctSink(keys, { ...exchange, dropsEarly: !widens }, writer, limits, engine);
    }
    case 'group':
    case 'values': {
      const aggregate = operators.find((operator) => operator instanceof AggregateOperator);
      invariant(aggregate !== undefined, 'groups are those of an aggregate');
      return new GroupSink(aggregate, limits, engine);
    }
    case 'probe': {
      const keys = exchange.on.map(({ column, type }) => ({ name: column, type }));
      const reader = new KeyReader(keys, view, context);
      return new ProbeSink(reader, writerOf(exchange, view, context, placeOf), limits, engine);
    }
    case 'build': {
      const keys = exchange.on.map(({ lookupColumn, type }) => ({ name: lookupColumn, type }));
      const reader = new KeyReader(keys, view, context);
      const cells = exchange.columns.map(
        (name) => new CellReader(view, sourceOf(view, name), context),
      );
      return new BuildSink(reader, cells, exchange.keepsOne, limits, engine);
    }
    case 'duplicates':
    case 'matches':
    case 'portions':
      throw new SluiceError('internal', 'keys are compared, no records taken');
    case 'limit':
      return new OrderSink(
        widens ? Infinity : takeOf(exchange),
        writerOf(exchange, view, context, placeOf),
        limits,
      );
  }
}

function ascending(column: string): SortKey {
  return { column, desc: false, nulls: 'last' };
}

/** Records of one output that a limit may keep. */
export function takeOf({ offset, count }: { offset: number; count: number | null }): number {
  return count === null ? Infinity : offset + count;
}

function finalWriter(
  view: ColumnView,
  context: ChunkContext,
  kernel: CsvKernel | null = null,
): RecordWriter {
  const isCsv = context.write.format === 'csv';
  return isCsv ? new CsvWriter(view, context, kernel) : new JsonWriter(view, context);
}

function writerOf(
  { records: { then, layout } }: Exchange,
  view: ColumnView,
  context: ChunkContext,
  placeOf: PlaceOf,
): RecordWriter {
  const shown = then.reduce((before, step) => viewAfter(step, before), view);
  if (layout === null) return finalWriter(shown, context);
  return new CellsWriter(shown, context, layout.origins === undefined ? null : placeOf);
}
