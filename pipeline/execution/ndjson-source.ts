import { readNdjson } from '../json/ndjson-reader.ts';
import { createRecordIndex } from '../parsing/record-index.ts';
import type { ChunkContext } from './context.ts';
import type { RecordSource, SourceBatch } from './record-source.ts';

const LF = 0x0a;

/** Reads NDJSON: a chunk is one batch. */
export class NdjsonRecordSource implements RecordSource {
  private readonly context: ChunkContext;
  private readonly names: readonly string[];
  private readonly quoted: readonly number[];
  private readonly index = createRecordIndex();
  readonly kernel = null;
  lines = 0;

  constructor(context: ChunkContext) {
    this.context = context;
    this.names = context.columns.map((column) => column.name);
    this.quoted = context.notations?.map(({ column }) => column) ?? [];
  }

  *batches(bytes: Uint8Array): Generator<SourceBatch> {
    this.lines = countLineEnds(bytes);
    if (bytes.length === 0) return;
    const { index } = this;
    const read = readNdjson(bytes, this.names, index, this.quoted);
    const selection = Uint32Array.from({ length: index.recordCount }, (_, record) => record);
    const { dialect } = this.context;
    yield {
      batch: {
        ...{ bytes: read.bytes, dialect, index, selection },
        selectedCount: index.recordCount,
      },
      recordCount: read.lineCount,
      faults: read.faults.map((fault) => ({ ...fault, column: -1 })),
      placeOf: (record) => ({
        record: read.recordNumbers[record]!,
        line: index.recordLines[record]!,
        rawStart: read.rawStarts[record]!,
        rawEnd: read.rawEnds[record]!,
      }),
    };
  }
}

function countLineEnds(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) count++;
  return count;
}
