import { SluiceError } from '../../errors.ts';
import type { RecordIndex } from '../../parsing/record-index.ts';
import type { JoinKind } from '../../plan/step.ts';
import { ALTERED_RECORD, type Batch } from '../batch.ts';
import { batchRecordsMax } from '../batch-size.ts';
import type { ColumnView } from '../column-view.ts';
import type { ChunkContext } from '../context.ts';
import type { Operator, OperatorSink, Widener } from '../operator.ts';
import type { TextVector } from '../vectors.ts';
import { gather, type Vector } from '../vectors.ts';
import { NO_MATCH } from './lookup-table.ts';
import type { Matcher } from './matcher.ts';

/** Lets the records through that have a match, or those that have none. */
export class SemiJoinOperator implements Operator {
  private readonly matcher: Matcher;
  private readonly keepsMatched: boolean;

  constructor(how: JoinKind, matcher: Matcher) {
    this.matcher = matcher;
    this.keepsMatched = how === 'semi';
  }

  apply(batch: Batch, sink: OperatorSink): void {
    this.matcher.load(batch, sink);
    const { selection, selectedCount } = batch;
    let kept = 0;
    for (let i = 0; i < selectedCount; i++) {
      const isMatched = this.matcher.first(batch, selection[i]!) !== NO_MATCH;
      if (isMatched === this.keepsMatched) selection[kept++] = selection[i]!;
    }
    batch.selectedCount = kept;
    sink.filtered(selectedCount - kept);
  }
}

/**
 * Makes of each record one for each of its matches, in the order of the lookup. The joined records
 * share the fields of the record they come of; nothing of it is copied but what was computed.
 */
export class JoinOperator implements Widener {
  private readonly matcher: Matcher;
  private readonly keepsUnmatched: boolean;
  private readonly flags: number;
  private readonly added: readonly TextVector[];
  /** Computed columns before and behind the join. */
  private readonly computed: readonly (readonly [Vector, Vector])[];
  /** Of a batch of joined records: as many as a source gives. */
  private readonly records: Uint32Array;
  private readonly matches: Int32Array;

  constructor(
    how: JoinKind,
    matcher: Matcher,
    [before, behind]: readonly [ColumnView, ColumnView],
    context: ChunkContext,
  ) {
    this.matcher = matcher;
    this.records = new Uint32Array(batchRecordsMax(context));
    this.matches = new Int32Array(this.records.length);
    this.keepsUnmatched = how === 'left';
    // A cell that is blanked is blanked in all joined records: none may be copied as a whole.
    this.flags = context.onError === 'null' ? ALTERED_RECORD : 0;
    this.added = behind.vectors.slice(before.vectors.length) as TextVector[];
    this.computed = before.vectors.flatMap((vector, source) =>
      vector === null ? [] : [[vector, behind.vectors[source]!] as const],
    );
  }

  *widen(batch: Batch, sink: OperatorSink): Generator<Batch> {
    this.matcher.load(batch, sink);
    const { selection } = batch;
    const { selectedCount } = batch;
    let count = 0;
    let unmatchedCount = 0;
    for (let i = 0; i < selectedCount; i++) {
      const record = selection[i]!;
      let match = this.matcher.first(batch, record);
      if (match === NO_MATCH && !this.keepsUnmatched) {
        unmatchedCount++;
        continue;
      }
      do {
        this.records[count] = record;
        this.matches[count++] = match;
        if (count === this.records.length) {
          yield this.joined(batch, count);
          count = 0;
        }
        if (match !== NO_MATCH) match = this.matcher.next(match);
      } while (match !== NO_MATCH);
    }
    if (count > 0) yield this.joined(batch, count);
    sink.filtered(unmatchedCount);
  }

  private joined(batch: Batch, count: number): Batch {
    const { records, matches, matcher } = this;
    const index = repeated(batch.index, records, count, this.flags);
    for (const [from, to] of this.computed) gather(from, records, count, to, batch.bytes);
    this.added.forEach((vector, column) => {
      vector.reserve(count, batch.bytes);
      for (let i = 0; i < count; i++) {
        const match = matches[i]!;
        if (match === NO_MATCH) vector.valid[i] = 0;
        else matcher.copyCell(match, column, vector, i);
      }
    });
    const selection = Uint32Array.from({ length: count }, (_, i) => i);
    const { origins } = batch;
    const own = records.subarray(0, count);
    return {
      ...{ bytes: batch.bytes, dialect: batch.dialect },
      ...{ index, selection, selectedCount: count },
      origins: origins === undefined ? own.slice() : own.map((record) => origins[record]!),
    };
  }
}

/** The error of a chunk that a join makes too large. */
export function joinTooLarge(outputBytes: number, outputBytesMax: number): SluiceError {
  const message =
    `A join makes more than ${outputBytesMax} bytes of one chunk: its keys match too many ` +
    'records of the lookup. Join on more columns, or remove repeated keys from the lookup';
  return new SluiceError('limit-exceeded', message, { details: { outputBytes, outputBytesMax } });
}

/** An index of the records in this order, over the same fields. */
function repeated(
  index: RecordIndex,
  records: Uint32Array,
  count: number,
  flags: number,
): RecordIndex {
  const of = (from: Uint32Array): Uint32Array => {
    const to = new Uint32Array(count);
    for (let i = 0; i < count; i++) to[i] = from[records[i]!]!;
    return to;
  };
  const recordFlags = new Uint8Array(count);
  for (let i = 0; i < count; i++) recordFlags[i] = index.recordFlags[records[i]!]! | flags;
  return {
    ...{ recordCount: count, fieldCount: index.fieldCount, recordFlags },
    recordFields: of(index.recordFields),
    recordStarts: of(index.recordStarts),
    recordEnds: of(index.recordEnds),
    recordLines: of(index.recordLines),
    ...{ fieldStarts: index.fieldStarts, fieldEnds: index.fieldEnds },
  };
}
