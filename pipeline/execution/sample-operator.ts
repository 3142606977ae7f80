import type { Step } from '../plan/step.ts';
import type { Batch } from './batch.ts';
import type { Operator, OperatorSink } from './operator.ts';

/**
 * Lets a share of the records through. A hash of the record's bytes and the seed decides, not its
 * place: equal records share their fate, and the result does not depend on how a file was cut.
 */
export class SampleOperator implements Operator {
  private readonly limit: number;
  private readonly seed: number;

  constructor({ fraction, seed }: Extract<Step, { kind: 'sample' }>) {
    this.limit = fraction * 2 ** 32;
    this.seed = seed;
  }

  apply(batch: Batch, sink: OperatorSink): void {
    const { bytes, index, selection, selectedCount } = batch;
    const { recordStarts, recordEnds } = index;
    let kept = 0;
    for (let i = 0; i < selectedCount; i++) {
      const record = selection[i]!;
      const hash = hashOf(bytes, recordStarts[record]!, recordEnds[record]!, this.seed);
      if (hash < this.limit) selection[kept++] = record;
    }
    batch.selectedCount = kept;
    sink.filtered(selectedCount - kept);
  }
}

/** FNV-1a over the bytes, and the finalizer of MurmurHash3 so that all bits count. */
function hashOf(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
