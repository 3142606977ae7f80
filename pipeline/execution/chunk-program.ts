import { AggregateKernel } from '../aggregation/aggregate-kernel.ts';
import { invariant } from '../errors.ts';
import type { Kernel, KernelModule } from '../parsing/structural/kernel.ts';
import { createProfileKernel } from '../profile/profile-accumulator.ts';
import type { ProfileKernel } from '../profile/profile-kernel.ts';
import type { ChunkStatistics } from '../protocol/messages.ts';
import { encodePartial } from '../result/partial.ts';
import type { Fault } from './batch.ts';
import { inputView, viewAfter, type ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { CsvWriter } from './csv-writer.ts';
import { CheckOperator, DeriveOperator, FilterOperator } from './expression-operators.ts';
import { JsonWriter } from './json-writer.ts';
import type { Operator, OperatorSink } from './operator.ts';
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
   * on_error 'fail', 'group-limit', and 'blob-corrupt' whose detail `name` is that of the slice.
   */
  run(bytes: Uint8Array, slices?: readonly Uint8Array[]): ChunkResult;
}

/** Builds the program of a context that `compilePlan` made. Without a kernel it is all TypeScript:
 *  slower, with the same results. */
export function createChunkProgram(
  context: ChunkContext,
  kernel: KernelModule | null = null,
): ChunkProgram {
  const source = createRecordSource(context, kernel);
  const kernels = kernelsOf(context, source.kernel);
  return {
    slices: () => [],
    run(bytes) {
      const run = new ChunkRun(context, bytes, kernels);
      for (const batch of source.batches(bytes)) run.take(batch);
      return run.finish(source.lines);
    },
  };
}

/** One chunk on its way: operators hold state, so each run has its own. */
class ChunkRun implements OperatorSink {
  private readonly operators: readonly Operator[];
  private readonly writer: RecordWriter;
  private readonly output = new OutputBuffer();
  private readonly rejects: RejectLog;
  private readonly bytes: Uint8Array;
  private batch: SourceBatch | null = null;
  private begun: Uint8Array | null = null;
  private recordsIn = 0;
  private recordsOut = 0;
  private filteredCount = 0;
  private aggregatedCount = 0;

  constructor(context: ChunkContext, bytes: Uint8Array, kernels: OperatorKernels) {
    const { operators, view } = createOperators(context, kernels);
    this.operators = operators;
    this.writer =
      context.write.format === 'csv' ? new CsvWriter(view, context) : new JsonWriter(view, context);
    this.rejects = new RejectLog(context, bytes);
    this.bytes = bytes;
  }

  take(source: SourceBatch): void {
    const { batch } = source;
    this.batch = source;
    this.recordsIn += source.recordCount;
    for (const operator of this.operators) {
      if (batch.selectedCount > 0) operator.apply(batch, this);
    }
    this.rejects.endBatch(source);
    if (this.begun !== batch.bytes) this.writer.begin(batch.bytes);
    this.begun = batch.bytes;
    this.writer.write(batch, this.output);
    this.recordsOut += batch.selectedCount;
  }

  reject(fault: Fault): void {
    invariant(this.batch !== null, 'a fault belongs to a batch');
    this.rejects.add(fault, this.batch);
  }

  filtered(count: number): void {
    this.filteredCount += count;
  }

  aggregated(count: number): void {
    this.aggregatedCount += count;
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
  kernels: OperatorKernels,
): { operators: Operator[]; view: ColumnView } {
  const operators: Operator[] = [];
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
