import type { ChunkStatistics } from '../../pipeline/protocol/index.ts';
import { OutputMap } from '../../pipeline/reassembly/output-map.ts';
import { PartialMerger } from '../../pipeline/result/partial.ts';
import {
  decodeSection,
  readResultHead,
  RESULT_HEAD_BYTES,
} from '../../pipeline/result/result-format.ts';
import { invariant, SluiceError } from '../../pipeline/errors.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { partialOptions } from '../../pipeline/execution/partial-options.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { ChunkRecord } from '../storage/job-record.ts';

/**
 * One job's result as merged so far, in file order: where each chunk's output is, and the partials
 * of all of them in one. Nothing of it needs to be stored: it is built again from stored results.
 */
export class JobAssembly {
  readonly map = new OutputMap();
  readonly merger: PartialMerger;

  /** Without a context the partials to come say what they are about. */
  constructor(context: ChunkContext | null) {
    this.merger = new PartialMerger(context === null ? {} : partialOptions(context));
  }

  /** Adds the next chunk that is done. Chunks between the last one and it have failed. */
  async merge(blobs: BlobStore, chunk: ChunkRecord): Promise<void> {
    const { statistics } = chunk;
    invariant(statistics !== null, 'only chunks with a result are merged');
    const name = `results/${chunk.taskKey}`;
    const head = readResultHead(await blobs.getRange(name, 0, RESULT_HEAD_BYTES));
    if (!sameStatistics(head.statistics, statistics)) {
      throw new SluiceError('blob-corrupt', `${name} is not the result that was announced`);
    }
    const { start, end } = head.sections.partial;
    const partial = end > start ? await blobs.getRange(name, start, end) : new Uint8Array(0);
    decodeSection(head, 'partial', partial);
    this.fillTo(chunk.index);
    if (partial.length > 0) this.merger.add(partial);
    this.append(chunk.index, statistics);
  }

  /** Takes a chunk into the map alone, without its partial. */
  append(index: number, statistics: ChunkStatistics): void {
    this.fillTo(index);
    const { outputBytes, outputRecords, rejected, recordsIn, lines, bytesIn } = statistics;
    this.map.append(index, {
      ...{ outputBytes, outputRecords, rejected, recordsIn, lines, bytesIn },
    });
  }

  /** Leaves the failed chunks before `index` empty. */
  fillTo(index: number): void {
    while (this.map.count < index) this.map.append(this.map.count, EMPTY);
  }
}

const EMPTY = {
  ...{ outputBytes: 0, outputRecords: 0, rejected: 0, recordsIn: 0, lines: 0, bytesIn: 0 },
};

function sameStatistics(a: ChunkStatistics, b: ChunkStatistics): boolean {
  return (Object.keys(a) as (keyof ChunkStatistics)[]).every((key) => a[key] === b[key]);
}
