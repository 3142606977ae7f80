import type { Batch } from './batch.ts';
import type { ConditionKernel } from './condition-kernel.ts';
import type { Operator, OperatorSink } from './operator.ts';

/**
 * A filter, a check or the types that a plan states, with the kernel before it: what the kernel
 * cannot decide, and batches that do not lie in its memory, go through the reference operator. The
 * outcome is that of the reference alone.
 */
export class KernelSelection implements Operator {
  private readonly kernel: ConditionKernel;
  private readonly reference: Operator;
  private rest = new Uint32Array(0);
  private kept = new Uint32Array(0);

  constructor(kernel: ConditionKernel, reference: Operator) {
    this.kernel = kernel;
    this.reference = reference;
  }

  apply(batch: Batch, sink: OperatorSink): void {
    if (!this.kernel.holds(batch)) {
      this.reference.apply(batch, sink);
      return;
    }
    const { selectedCount } = batch;
    const left = this.kernel.select(batch);
    sink.filtered(selectedCount - left.length - batch.selectedCount);
    if (left.length === 0) return;
    if (this.rest.length < selectedCount) {
      this.rest = new Uint32Array(batch.selection.length);
      this.kept = new Uint32Array(batch.selection.length);
    }
    this.rest.set(left);
    const rest = { ...batch, selection: this.rest, selectedCount: left.length };
    this.reference.apply(rest, sink);
    this.merge(batch, rest.selectedCount);
  }

  /** Puts the records that the reference let through among those that the kernel did. */
  private merge(batch: Batch, restCount: number): void {
    const { kept, rest } = this;
    const { selection, selectedCount } = batch;
    kept.set(selection.subarray(0, selectedCount));
    let k = 0;
    let r = 0;
    for (let i = 0; i < selectedCount + restCount; i++) {
      const isKept = r === restCount || (k < selectedCount && kept[k]! < rest[r]!);
      selection[i] = isKept ? kept[k++]! : rest[r++]!;
    }
    batch.selectedCount = selectedCount + restCount;
  }
}
