import { createRecordIndex, RecordFlag, type RecordIndex } from '../parsing/record-index.ts';
import type { CountedText, Kernel, KernelModule } from '../parsing/structural/kernel.ts';
import { isStructural, StructuralTokenizer } from '../parsing/structural/structural-tokenizer.ts';
import { Tokenizer } from '../parsing/tokenizer.ts';
import { batchRecordsMax } from './batch-size.ts';
import type { ChunkContext } from './context.ts';
import { padRecords } from './pad-records.ts';
import type {
  CountedRecords,
  RecordPlace,
  RecordSource,
  SourceBatch,
  SourceFault,
} from './record-source.ts';

/** Reads delimited text. Records with too few or too many cells are faults. */
export class CsvRecordSource implements RecordSource {
  private readonly context: ChunkContext;
  private readonly tokenizer: BatchTokenizer;
  private readonly index: RecordIndex;
  private readonly selection: Uint32Array;
  private readonly all: Uint32Array;

  constructor(context: ChunkContext, kernel: KernelModule | null) {
    this.context = context;
    const recordsMax = batchRecordsMax(context);
    this.index = createRecordIndex(recordsMax);
    this.selection = new Uint32Array(recordsMax);
    this.all = Uint32Array.from({ length: recordsMax }, (_, record) => record);
    this.tokenizer = createTokenizer(context, kernel, recordsMax);
  }

  get kernel(): Kernel | null {
    return this.tokenizer.kernel;
  }

  get lines(): number {
    return this.tokenizer.lines;
  }

  *batches(bytes: Uint8Array): Generator<SourceBatch> {
    const { tokenizer, index } = this;
    tokenizer.load(bytes);
    let recordBase = 0;
    for (let at = 0; at < bytes.length;) {
      at = tokenizer.tokenize(bytes, at, index);
      yield this.check(bytes, recordBase);
      recordBase += index.recordCount;
    }
  }

  *countedBatches(bytes: Uint8Array): Generator<SourceBatch | CountedRecords> {
    const { tokenizer, index } = this;
    const columnCount = this.context.columns.length;
    tokenizer.load(bytes);
    let recordBase = 0;
    for (let at = 0; at < bytes.length;) {
      const counted = tokenizer.count(bytes, at, columnCount);
      if (counted === null) {
        at = tokenizer.tokenize(bytes, at, index);
        yield this.check(bytes, recordBase);
        recordBase += index.recordCount;
      } else {
        at = counted.next;
        yield { batch: null, recordCount: counted.recordCount };
        recordBase += counted.recordCount;
      }
    }
  }

  /** Selects the readable records. */
  private check(bytes: Uint8Array, recordBase: number): SourceBatch {
    const { selection, context } = this;
    const { index } = this;
    const columnCount = context.columns.length;
    const { recordCount, recordFields, recordFlags } = index;
    const faults: SourceFault[] = [];
    const unreadable = RecordFlag.unterminated | RecordFlag.invalidUtf8;
    const placeOf = (record: number): RecordPlace => {
      this.tokenizer.listLines();
      return {
        record: recordBase + record,
        line: index.recordLines[record]!,
        rawStart: index.recordStarts[record]!,
        rawEnd: index.recordEnds[record]!,
      };
    };
    const isWhole = this.tokenizer.evenFields === columnCount;
    if (isWhole) selection.set(this.all.subarray(0, recordCount));
    let selectedCount = isWhole ? recordCount : 0;
    let shortCount = 0;
    for (let record = selectedCount; record < recordCount; record++) {
      const cells = recordFields[record + 1]! - recordFields[record]!;
      if (cells === columnCount && (recordFlags[record]! & unreadable) === 0) {
        selection[selectedCount++] = record;
        continue;
      }
      const fault = this.faultOf(index, record, cells);
      if (fault.code === 'missing-cell' && context.nullPadding) {
        shortCount++;
        selection[selectedCount++] = record;
      } else {
        faults.push({ ...placeOf(record), ...fault });
      }
    }
    const whole = shortCount === 0 ? index : padRecords(index, columnCount);
    const { dialect } = context;
    const batch = { bytes, dialect, index: whole, selection, selectedCount };
    return { batch, recordCount, faults, placeOf };
  }

  private faultOf(
    index: RecordIndex,
    record: number,
    cells: number,
  ): Pick<SourceFault, 'code' | 'message' | 'column'> {
    const { columns } = this.context;
    const flags = index.recordFlags[record]!;
    if ((flags & RecordFlag.unterminated) !== 0) {
      const message = 'A quote is opened and not closed before the end of the input';
      return { code: 'source-error', message, column: -1 };
    }
    if ((flags & RecordFlag.invalidUtf8) !== 0) {
      const message = 'The record is not valid in the encoding of the input';
      return { code: 'encoding-error', message, column: -1 };
    }
    const counts = `the record has ${String(cells)} cells, the table ${String(columns.length)} columns`;
    if (cells < columns.length) {
      const name = JSON.stringify(columns[cells]?.name ?? '');
      return {
        code: 'missing-cell',
        message: `No cell for column ${name}: ${counts}`,
        column: cells,
      };
    }
    return { code: 'extra-cell', message: `Too many cells: ${counts}`, column: columns.length };
  }
}

/** A whole text, batch by batch. */
interface BatchTokenizer {
  /** Starts a text, which the others are called with. */
  load(text: Uint8Array): void;
  /** Fills `index` with the records from `start` on, but for their lines; returns what was
   *  consumed. */
  tokenize(bytes: Uint8Array, start: number, index: RecordIndex): number;
  /** Fills the lines as well. */
  listLines(): void;
  /** See `StructuralTokenizer.count`. */
  count(bytes: Uint8Array, start: number, columnCount: number): CountedText | null;
  readonly kernel: Kernel | null;
  /** Fields of each of the records read last, when all are known to have as many and no flags; else
   *  0. */
  readonly evenFields: number;
  /** Line ends passed since `load`. */
  readonly lines: number;
}

/** The kernel where there is one that reads the dialect, else the scalar tokenizer. */
function createTokenizer(
  context: ChunkContext,
  kernel: KernelModule | null,
  recordsMax: number,
): BatchTokenizer {
  const { dialect, columns } = context;
  // In a table of one column a blank line is a record with an empty cell.
  const options = { skipBlankLines: columns.length === 1 ? 'never' : 'always' } as const;
  if (kernel !== null && isStructural(dialect)) {
    return new StructuralTokenizer(dialect, options, kernel, recordsMax);
  }
  const scalar = new Tokenizer(dialect, options);
  return {
    kernel: null,
    evenFields: 0,
    count: () => null,
    listLines: () => undefined,
    load: () => scalar.reset(),
    tokenize: (bytes, start, index) =>
      scalar.tokenize(bytes, start, bytes.length, true, index, recordsMax),
    get lines() {
      return scalar.lines;
    },
  };
}
