import { OutputMap } from '../../pipeline/reassembly/output-map.ts';
import { PartialMerger } from '../../pipeline/result/partial.ts';
import type { PartialMergerOptions } from '../../pipeline/result/partial.ts';
import { invariant } from '../../pipeline/errors.ts';
import { partialOptions } from '../../pipeline/execution/partial-options.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import { byWave } from '../coordination/waves.ts';
import type { ChunkRecord, JobRecord, JobWaves } from '../storage/job-record.ts';
import { readPartial } from './stored-sections.ts';
import { NO_BUDGET, refuseOverBudget, type RejectBudget } from './verdict.ts';

/**
 * One job's result as merged so far, in file order: where the output of each chunk of the last wave
 * is, the rejects of all waves, and all partials in one. Nothing of it needs to be stored: it is built
 * again from stored results.
 */
export class JobAssembly {
  readonly map = new OutputMap();
  readonly merger: PartialMerger;
  readonly #budget: RejectBudget;
  /** Records of the input: those that came to the first wave. */
  #recordsRead = 0;

  constructor(waves: JobWaves | null, budget: RejectBudget = NO_BUDGET) {
    this.#budget = budget;
    const options = (waves ?? []).map(({ context }) => partialOptions(context));
    this.merger = new PartialMerger(Object.assign({}, ...options) as PartialMergerOptions);
  }

  /**
   * Adds the next chunk that is done. Chunks between the last one and it have failed. Throws
   * `rejects-over-budget` when the chunks before it have too many rejects: a function of the input
   * alone, since chunks are merged in file order.
   */
  async merge(blobs: BlobStore, chunk: ChunkRecord, lastWave: number): Promise<void> {
    const { rejected } = this.map.totals();
    refuseOverBudget({ rejected, recordsIn: this.#recordsRead }, chunk, this.#budget);
    const partial = await readPartial(blobs, chunk);
    if (partial.length > 0) this.merger.add(partial);
    this.append(chunk, lastWave);
  }

  /** Takes a chunk into the map alone, without its partial. See `lastWaveOf`. */
  append({ index, wave, statistics }: ChunkRecord, lastWave: number): void {
    invariant(statistics !== null, 'only chunks with a result are merged');
    this.fillTo(index);
    const { rejected, recordsIn, lines, bytesIn, outputBytes, outputRecords } = statistics;
    if (wave === 0) this.#recordsRead += recordsIn;
    const output =
      wave === lastWave ? { outputBytes, outputRecords } : { outputBytes: 0, outputRecords: 0 };
    this.map.append(index, { ...output, rejected, recordsIn, lines, bytesIn });
  }

  /** Leaves the failed chunks before `index` empty. */
  fillTo(index: number): void {
    while (this.map.count < index) this.map.append(this.map.count, EMPTY);
  }
}

/** Number of the job's last wave, as far as is known: the outputs of its chunks are the result. */
export function lastWaveOf({ state, facts }: Pick<JobRecord, 'state' | 'facts'>): number {
  return byWave(state, facts.waves ?? [null]).length - 1;
}

const EMPTY = {
  ...{ outputBytes: 0, outputRecords: 0, rejected: 0, recordsIn: 0, lines: 0, bytesIn: 0 },
};
