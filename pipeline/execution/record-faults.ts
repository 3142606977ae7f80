import type { Batch } from './batch.ts';
import type { ChunkContext } from './context.ts';
import type { OperatorSink } from './operator.ts';

/**
 * Records for which an expression has no value: an overflow, a cast that fails. They are rejected
 * once the expression was evaluated for the whole batch; under on_error 'null' such a value is NULL
 * and nobody is rejected.
 */
export class RecordFaults {
  private readonly faults = new Map<number, { readonly code: string; readonly message: string }>();
  private readonly isNoted: boolean;

  constructor(context: ChunkContext) {
    this.isNoted = context.onError !== 'null';
  }

  note(record: number, code: string, message: string): void {
    if (this.isNoted && !this.faults.has(record)) this.faults.set(record, { code, message });
  }

  /** Rejects the records noted, and removes them from the selection and from what goes with it. */
  settle(batch: Batch, sink: OperatorSink, truths: Uint8Array | null): void {
    const { faults } = this;
    if (faults.size === 0) return;
    const { selection } = batch;
    let kept = 0;
    for (let i = 0; i < batch.selectedCount; i++) {
      const record = selection[i]!;
      const fault = faults.get(record);
      if (fault !== undefined) {
        sink.reject({ record, column: -1, ...fault });
        continue;
      }
      if (truths !== null) truths[kept] = truths[i]!;
      selection[kept++] = record;
    }
    batch.selectedCount = kept;
    faults.clear();
  }
}
