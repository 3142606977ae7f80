import { invariant } from '../errors.ts';
import type { EntryEngine } from '../exchange/entry-engine.ts';
import { LIMITS, type ExchangeLimits } from '../limits.ts';
import type { ChunkStatistics } from '../protocol/messages.ts';
import { encodePartial } from '../result/partial.ts';
import type { Batch, Fault } from './batch.ts';
import type { ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { createRecordSink } from './create-record-sink.ts';
import { joinTooLarge } from './join/join-operator.ts';
import { Fate, JoinedFates } from './joined-fates.ts';
import { createOperators, type OperatorParts, type StepOperator } from './operator-chain.ts';
import type { OperatorSink, Widener } from './operator.ts';
import { AggregateOperator, ProfileOperator } from './operators.ts';
import type { ChunkResult } from './program.ts';
import type { RecordSink } from './record-sink.ts';
import type { CountedRecords, SourceBatch } from './record-source.ts';
import { RejectLog } from './reject-log.ts';

/** What the runs of a program share. */
export interface RunParts extends OperatorParts {
  readonly limits: ExchangeLimits;
  readonly engine: EntryEngine;
}

/** Records of a task that came and went before they were read. */
export interface PassedRecords {
  readonly filtered?: number;
  readonly deduplicated?: number;
  readonly aggregated?: number;
}

/** One chunk on its way: operators hold state, so each run has its own. */
export class ChunkRun implements OperatorSink {
  private readonly operators: readonly StepOperator[];
  /** Number of the step that takes the records for the next wave. */
  private readonly sinkNumber: number | null;
  private readonly sink: RecordSink;
  /** Whether the groups of an aggregate are the output, and not a partial beside it. */
  private readonly givesGroups: boolean;
  private readonly rejects: RejectLog;
  private readonly bytes: Uint8Array;
  private batch: SourceBatch | null = null;
  private recordsIn = 0;
  private recordsOut = 0;
  private taken = 0;
  private filteredCount = 0;
  private aggregatedCount = 0;
  /** By check. */
  private readonly warnedCounts: number[] = [];
  /** The joined batch that is under way, and the fates of the records it comes of. */
  private joined: Batch | null = null;
  private fates: JoinedFates | null = null;
  /** Number of the step that is at work. */
  private stepNumber: number | null = null;
  /** Records selected before the operator that is at work. */
  private reachedCount = 0;

  /** `input` is the view of the records that come; `bytes` are what they lie in. */
  constructor(context: ChunkContext, input: ColumnView, bytes: Uint8Array, parts: RunParts) {
    const { operators, view } = createOperators(context, input, parts);
    this.operators = operators;
    const bare = operators.map(({ operator }) => operator);
    this.sink = createRecordSink(view, context, parts, bare, (record) => {
      invariant(this.batch !== null, 'records are written batch by batch');
      return this.batch.placeOf(record);
    });
    this.sinkNumber = context.exchange?.number ?? null;
    const { kind } = context.exchange ?? {};
    this.givesGroups = kind === 'group' || kind === 'values';
    this.rejects = new RejectLog(context, bytes);
    this.bytes = bytes;
  }

  take(source: SourceBatch | CountedRecords): void {
    if (source.batch === null) {
      this.count(source.recordCount);
      return;
    }
    this.batch = source;
    this.recordsIn += source.recordCount;
    this.pass(source.batch, 0);
    this.rejects.endBatch(source);
  }

  /** Records of which the first step, an aggregate, looks at no cell. */
  private count(recordCount: number): void {
    const operator = this.operators[0]?.operator;
    invariant(operator instanceof AggregateOperator, 'only aggregates take counted records');
    operator.count(recordCount);
    this.recordsIn += recordCount;
    this.aggregatedCount += recordCount;
  }

  /** Sends a batch through the operators from `first` on, and writes what is left of it. */
  private pass(batch: Batch, first: number): void {
    for (let i = first; i < this.operators.length && batch.selectedCount > 0; i++) {
      const { operator, number } = this.operators[i]!;
      this.stepNumber = number;
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
    const { stepNumber } = this;
    this.fates = fates;
    for (const wider of operator.widen(batch, this)) {
      this.joined = wider;
      if (isFirst) this.note(wider, Fate.joined, wider.selectedCount);
      this.pass(wider, next);
      this.joined = outer;
      this.stepNumber = stepNumber;
    }
    if (!isFirst) return;
    this.filteredCount += fates.count(Fate.joined);
    this.aggregatedCount += fates.count(Fate.aggregated);
    this.recordsOut += fates.count(Fate.out);
    this.fates = null;
  }

  private write(batch: Batch): void {
    if (batch.selectedCount === 0) return;
    this.stepNumber = this.sinkNumber;
    this.sink.prepare(batch, this);
    this.sink.take(batch);
    this.taken += batch.selectedCount;
    if (this.joined === null) {
      this.recordsOut += batch.selectedCount;
      return;
    }
    this.note(batch, Fate.out, batch.selectedCount);
    const { joinOutputBytesMax } = LIMITS;
    if (this.sink.length > joinOutputBytesMax) {
      throw joinTooLarge(this.sink.length, joinOutputBytesMax);
    }
  }

  /** Notes what became of the first `count` selected records of a joined batch. */
  private note({ selection, origins }: Batch, fate: Fate, count: number): void {
    for (let i = 0; i < count; i++) this.fates?.note(origins![selection[i]!]!, fate);
  }

  reject(fault: Fault): void {
    invariant(this.batch !== null, 'a fault belongs to a batch');
    if (this.joined === null) {
      this.rejects.add(fault, this.batch, this.stepNumber);
      return;
    }
    const record = this.joined.origins![fault.record]!;
    if (this.fates?.isRejected(record) === false) {
      this.rejects.add({ ...fault, record }, this.batch, this.stepNumber);
      this.fates.note(record, Fate.rejected);
    }
  }

  filtered(count: number): void {
    if (this.joined === null) this.filteredCount += count;
  }

  warned(check: number, count: number): void {
    while (this.warnedCounts.length <= check) this.warnedCounts.push(0);
    this.warnedCounts[check]! += count;
  }

  aggregated(count: number): void {
    if (this.joined === null) this.aggregatedCount += count;
    else this.note(this.joined, Fate.aggregated, this.reachedCount);
  }

  /** `passed` are further records, which came and went before they were read. */
  finish(lines: number, passed: PassedRecords = {}): ChunkResult {
    const { filtered = 0, deduplicated = 0, aggregated = 0 } = passed;
    const { output, exchange, records, groups, deduplicated: dropped } = this.sink.finish();
    const cut = this.taken - records - dropped;
    const statistics: ChunkStatistics = {
      recordsIn: this.recordsIn + filtered + deduplicated + aggregated,
      recordsOut: this.recordsOut - cut - dropped,
      rejected: this.rejects.count,
      filtered: this.filteredCount + cut + filtered,
      deduplicated: dropped + deduplicated,
      aggregated: this.aggregatedCount + aggregated,
      ...(this.warnedCounts.length === 0 ? {} : { warned: this.warnedCounts }),
      lines,
      bytesIn: this.bytes.length,
      outputRecords: records + (groups ?? 0),
      outputBytes: output.reduce((sum, part) => sum + part.length, 0),
    };
    const { recordsIn, recordsOut, rejected } = statistics;
    const gone = statistics.filtered + statistics.deduplicated + statistics.aggregated;
    invariant(
      recordsIn === recordsOut + rejected + gone,
      'every record of a chunk is accounted for once',
    );
    return {
      ...{ statistics, output, rejects: this.rejects.encode(), partial: this.partial() },
      exchange,
    };
  }

  private partial(): Uint8Array {
    const operators = this.operators.map(({ operator }) => operator);
    const profile = operators.find((operator) => operator instanceof ProfileOperator);
    const aggregate = operators.find((operator) => operator instanceof AggregateOperator);
    return encodePartial({
      profile: profile?.toPartial() ?? null,
      aggregate: this.givesGroups ? null : (aggregate?.toPartial() ?? null),
    });
  }
}
