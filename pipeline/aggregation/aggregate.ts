import type { Batch, Fault } from '../execution/batch.ts';
import {
  AggregateAccumulator,
  AGGREGATE_LIMITS,
  type AggregateOptions,
} from './aggregate-accumulator.ts';
import type { AggregateKernel } from './aggregate-kernel.ts';
import { mergeSorted } from './merge-sorted.ts';
import { shapeOf, type AggregateSpec } from './shape.ts';

/** Groups and measures the selected records of batches. */
export interface Aggregate {
  /** Takes the batch's selected records. Returns how many it took. Throws `group-limit`. */
  add(batch: Batch, onFault: (fault: Fault) => void): number;
  /** Takes records of which no cell is read: without keys, and with measures of no column. */
  count(recordCount: number): void;
  /** The groups so far, in bytes that depend on the records alone. Throws `group-limit`. */
  toPartial(): Uint8Array;
  /** The same for those who sort them: the groups may stand in any order. */
  toGroups(): Uint8Array;
}

/** With the kernel where it can do the work, with the same partials. The kernel serves one aggregate
 *  at a time: the one that was made last. */
export function createAggregate(
  spec: AggregateSpec,
  options: AggregateOptions,
  kernel: AggregateKernel | null,
): Aggregate {
  const reference = new AggregateAccumulator(spec, options);
  const used = [...spec.by, ...spec.measures.map(({ column }) => column)];
  const isOfFields = used.every((column) => (options.vectors?.[column ?? -1] ?? null) === null);
  const isTaken = isOfFields && kernel?.begin(spec, shapeOf(spec, options.columns)) === true;
  return isTaken ? new KernelAggregate(reference, kernel) : reference;
}

/** An aggregate in the kernel; the reference takes the batches and records that the kernel leaves. */
class KernelAggregate implements Aggregate {
  readonly #reference: AggregateAccumulator;
  readonly #kernel: AggregateKernel;
  #left = new Uint32Array(0);

  constructor(reference: AggregateAccumulator, kernel: AggregateKernel) {
    this.#reference = reference;
    this.#kernel = kernel;
  }

  add(batch: Batch, onFault: (fault: Fault) => void): number {
    const { selectedCount } = batch;
    if (!this.#kernel.holds(batch)) return this.#reference.add(batch, onFault);
    if (this.#left.length < selectedCount) this.#left = new Uint32Array(selectedCount);
    const leftCount = this.#kernel.add(batch, this.#left);
    const taken = selectedCount - leftCount;
    if (leftCount === 0) return taken;
    const left: Batch = { ...batch, selection: this.#left, selectedCount: leftCount };
    return taken + this.#reference.add(left, onFault);
  }

  count(recordCount: number): void {
    this.#kernel.count(recordCount);
  }

  toPartial(): Uint8Array {
    const partials = this.#kernel.takePartials();
    const [first] = partials;
    if (first === undefined) return this.#reference.toPartial();
    if (this.#reference.records > 0) partials.push(this.#reference.toPartial());
    return partials.reduce((left, right) => mergeSorted(left, right, AGGREGATE_LIMITS));
  }

  toGroups(): Uint8Array {
    // Doubles that are equal may have two texts: which comes first must not depend on the kernel.
    const isFree = this.#reference.records === 0 && !this.#reference.keyTypes.includes('number');
    return (isFree ? this.#kernel.takeUnsorted() : null) ?? this.toPartial();
  }
}
