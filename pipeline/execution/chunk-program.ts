import { AggregateKernel } from '../aggregation/aggregate-kernel.ts';
import { invariant } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Kernel, KernelModule } from '../parsing/structural/kernel.ts';
import { createProfileKernel } from '../profile/profile-accumulator.ts';
import type { ProfileKernel } from '../profile/profile-kernel.ts';
import type { ChunkStatistics } from '../protocol/messages.ts';
import { encodePartial } from '../result/partial.ts';
import type { Batch, Fault } from './batch.ts';
import { inputView, viewAfter, type ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { CsvWriter } from './csv-writer.ts';
import { CheckOperator, DeriveOperator, FilterOperator } from './expression-operators.ts';
import { JoinOperator, joinTooLarge, SemiJoinOperator } from './join/join-operator.ts';
import { lookupTables } from './join/lookup-tables.ts';
import { Fate, JoinedFates } from './joined-fates.ts';
import { JsonWriter } from './json-writer.ts';
import type { Operator, OperatorSink, Widener } from './operator.ts';
import { AggregateOperator, ConformOperator, ProfileOperator } from './operators.ts';
import { OutputBuffer } from './output-buffer.ts';
import { createRecordSource } from './create-record-source.ts';
import type { SourceBatch } from './record-source.ts';
import type { RecordWriter } from './record-writer.ts';
import { RejectLog } from './reject-log.ts';
import { SampleOperator } from './sample-operator.ts';

/** What a chunk became: a pure function of its bytes and the context. */
export interface ChunkResult {
  readonly statistics: ChunkStatistics;
  /** Output records, without header, in parts. Parts may be views of the chunk's bytes. */
  readonly output: readonly Uint8Array[];
  /** NDJSON of `RelativeReject`. */
  readonly rejects: Uint8Array;
  /** Profile and groups, see pipeline/result/partial.ts. */
  readonly partial: Uint8Array;
  /** Index of the output for the wave that reads it; empty in the last wave. */
  readonly exchange: Uint8Array;
}

/** Bytes `[start, end)` of an earlier result, stored under `name`. */
export interface Slice {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** A plan made ready to run over chunks, one after another. */
export interface ChunkProgram {
  /** What a task needs beside the bytes of its chunk; nothing for a chunk of the input. */
  slices(bytes: Uint8Array): readonly Slice[];
  /**
   * `slices` are the bytes of what `slices()` named, in that order. Throws 'input-malformed' under
   * on_error 'fail', 'group-limit', 'limit-exceeded' when a join makes too much of a chunk, and
   * 'blob-corrupt' whose detail `name` is that of the slice.
   */
  run(bytes: Uint8Array, slices?: readonly Uint8Array[]): ChunkResult;
  /** Memory that its lookups take. */
  readonly lookupMemoryBytes: number;
}

/** Builds the program of a context that `compilePlan` made. Without a kernel it is all TypeScript:
 *  slower, with the same results. `lookups` are the texts of the context's `lookupKeys`. */
export function createChunkProgram(
  context: ChunkContext,
  kernel: KernelModule | null = null,
  lookups: ReadonlyMap<string, Uint8Array> = new Map(),
): ChunkProgram {
  const source = createRecordSource(context, kernel);
  const kernels = kernelsOf(context, source.kernel);
  const tables = lookupTables(context, lookups);
  return {
    slices: () => [],
    lookupMemoryBytes: [...tables.values()].reduce((sum, table) => sum + table.memoryBytes, 0),
    run(bytes) {
      const run = new ChunkRun(context, bytes, { ...kernels, tables });
      for (const batch of source.batches(bytes)) run.take(batch);
      return run.finish(source.lines);
    },
  };
}

/** One chunk on its way: operators hold state, so each run has its own. */
class ChunkRun implements OperatorSink {
  private readonly operators: readonly (Operator | Widener)[];
  private readonly writer: RecordWriter;
  private readonly output = new OutputBuffer();
  private readonly rejects: RejectLog;
  private readonly bytes: Uint8Array;
  private batch: SourceBatch | null = null;
  private begun: Uint8Array | null = null;
  private recordsIn = 0;
  private recordsOut = 0;
  private outputRecords = 0;
  private filteredCount = 0;
  private aggregatedCount = 0;
  /** The joined batch that is under way, and the fates of the records it comes of. */
  private joined: Batch | null = null;
  private fates: JoinedFates | null = null;
  /** Records selected before the operator that is at work. */
  private reachedCount = 0;

  constructor(context: ChunkContext, bytes: Uint8Array, parts: OperatorParts) {
    const { operators, view } = createOperators(context, parts);
    this.operators = operators;
    this.writer =
      context.write.format === 'csv' ? new CsvWriter(view, context) : new JsonWriter(view, context);
    this.rejects = new RejectLog(context, bytes);
    this.bytes = bytes;
  }

  take(source: SourceBatch): void {
    this.batch = source;
    this.recordsIn += source.recordCount;
    this.pass(source.batch, 0);
    this.rejects.endBatch(source);
  }

  /** Sends a batch through the operators from `first` on, and writes what is left of it. */
  private pass(batch: Batch, first: number): void {
    for (let i = first; i < this.operators.length && batch.selectedCount > 0; i++) {
      const operator = this.operators[i]!;
      if ('widen' in operator) {
        this.widen(operator, batch, i + 1);
        return;
      }
      this.reachedCount = batch.selectedCount;
      operator.apply(batch, this);
    }
    this.write(batch);
  }

  private widen(operator: Widener, batch: Batch, next: number): void {
    const outer = this.joined;
    const fates = this.fates ?? new JoinedFates(batch.index.recordCount);
    const isFirst = this.fates === null;
    this.fates = fates;
    for (const wider of operator.widen(batch, this)) {
      this.joined = wider;
      if (isFirst) this.note(wider, Fate.joined, wider.selectedCount);
      this.pass(wider, next);
      this.joined = outer;
    }
    if (!isFirst) return;
    this.filteredCount += fates.count(Fate.joined);
    this.aggregatedCount += fates.count(Fate.aggregated);
    this.recordsOut += fates.count(Fate.out);
    this.fates = null;
  }

  private write(batch: Batch): void {
    if (this.begun !== batch.bytes) this.writer.begin(batch.bytes);
    this.begun = batch.bytes;
    this.writer.write(batch, this.output);
    this.outputRecords += batch.selectedCount;
    if (this.joined === null) {
      this.recordsOut += batch.selectedCount;
      return;
    }
    this.note(batch, Fate.out, batch.selectedCount);
    const { joinOutputBytesMax } = LIMITS;
    if (this.output.length > joinOutputBytesMax) {
      throw joinTooLarge(this.output.length, joinOutputBytesMax);
    }
  }

  /** Notes what became of the first `count` selected records of a joined batch. */
  private note({ selection, origins }: Batch, fate: Fate, count: number): void {
    for (let i = 0; i < count; i++) this.fates?.note(origins![selection[i]!]!, fate);
  }

  reject(fault: Fault): void {
    invariant(this.batch !== null, 'a fault belongs to a batch');
    if (this.joined === null) {
      this.rejects.add(fault, this.batch);
      return;
    }
    const record = this.joined.origins![fault.record]!;
    if (this.fates?.isRejected(record) === false) {
      this.rejects.add({ ...fault, record }, this.batch);
      this.fates.note(record, Fate.rejected);
    }
  }

  filtered(count: number): void {
    if (this.joined === null) this.filteredCount += count;
  }

  aggregated(count: number): void {
    if (this.joined === null) this.aggregatedCount += count;
    else this.note(this.joined, Fate.aggregated, this.reachedCount);
  }

  finish(lines: number): ChunkResult {
    const output = this.output.finish();
    const statistics: ChunkStatistics = {
      recordsIn: this.recordsIn,
      recordsOut: this.recordsOut,
      rejected: this.rejects.count,
      filtered: this.filteredCount,
      deduplicated: 0,
      aggregated: this.aggregatedCount,
      lines,
      bytesIn: this.bytes.length,
      outputRecords: this.outputRecords,
      outputBytes: output.reduce((sum, part) => sum + part.length, 0),
    };
    const { recordsOut, rejected, filtered, deduplicated, aggregated } = statistics;
    invariant(
      this.recordsIn === recordsOut + rejected + filtered + deduplicated + aggregated,
      'every record of a chunk is accounted for once',
    );
    return {
      ...{ statistics, output, rejects: this.rejects.encode(), partial: this.partial() },
      exchange: new Uint8Array(0),
    };
  }

  private partial(): Uint8Array {
    const profile = this.operators.find((operator) => operator instanceof ProfileOperator);
    const aggregate = this.operators.find((operator) => operator instanceof AggregateOperator);
    return encodePartial({
      profile: profile?.toPartial() ?? null,
      aggregate: aggregate?.toPartial() ?? null,
    });
  }
}

/** Parts of the kernel that operators work in: one for all runs, as they are areas of its memory. */
interface OperatorKernels {
  readonly profile: ProfileKernel | null;
  readonly aggregate: AggregateKernel | null;
}

/** What operators are made with besides the context. */
interface OperatorParts extends OperatorKernels {
  readonly tables: ReturnType<typeof lookupTables>;
}

function kernelsOf(context: ChunkContext, kernel: Kernel | null): OperatorKernels {
  if (kernel === null) return { profile: null, aggregate: null };
  const { steps, dialect, nullstr } = context;
  const profiled = steps.find((step) => step.kind === 'profile')?.columns.length;
  const isAggregated = steps.some((step) => step.kind === 'aggregate');
  return {
    profile:
      profiled === undefined ? null : createProfileKernel(kernel, profiled, dialect, nullstr),
    aggregate: isAggregated ? AggregateKernel.create({ kernel, dialect, nullstr }) : null,
  };
}

function createOperators(
  context: ChunkContext,
  kernels: OperatorParts,
): { operators: (Operator | Widener)[]; view: ColumnView } {
  const operators: (Operator | Widener)[] = [];
  let view = inputView(context);
  for (const step of context.steps) {
    const before = view;
    view = viewAfter(step, before);
    switch (step.kind) {
      case 'conform':
        operators.push(new ConformOperator(step, before, context));
        break;
      case 'filter':
        operators.push(new FilterOperator(step, before, context));
        break;
      case 'check':
        operators.push(new CheckOperator(step, before, context));
        break;
      case 'sample':
        operators.push(new SampleOperator(step));
        break;
      case 'derive': {
        const vector = view.inputs === before.inputs ? null : view.vectors.at(-1);
        if (vector != null) operators.push(new DeriveOperator(step, before, vector, context));
        break;
      }
      case 'join': {
        const table = kernels.tables.get(step)!;
        operators.push(
          step.how === 'semi' || step.how === 'anti'
            ? new SemiJoinOperator(step, table, before, context)
            : new JoinOperator(step, table, [before, view], context),
        );
        break;
      }
      case 'profile':
        operators.push(new ProfileOperator(step, before, context, kernels.profile));
        break;
      case 'aggregate':
        operators.push(new AggregateOperator(step, before, context, kernels.aggregate));
        break;
      case 'select':
      case 'drop':
      case 'rename':
    }
  }
  return { operators, view };
}
