import type { AggregateShape } from '../aggregation/shape.ts';
import { KERNEL_TYPES } from '../aggregation/kernel-layout.ts';
import type { EntryKernel } from './entry-kernel.ts';

/** `MergeFrame`, `Measure` and `State` in `assembly/entries/merge-groups.ts`. */
const FRAME_BYTES = 24;
const GROUPS = 5;
const MEASURE_BYTES = 8;
const STATE_BYTES = 24;
const MEASURES_MAX = 64;
const KINDS: Readonly<Record<string, number>> = { count: 0, sum: 1, avg: 2 };

/** What the kernel needs for it beside the entries. */
export const GROUP_AREA_BYTES = FRAME_BYTES + MEASURES_MAX * (MEASURE_BYTES + STATE_BYTES);

/** Groups that were merged: those of the entries up to the place `next` of their order. */
export interface GroupRun {
  readonly next: number;
  readonly groups: number;
  /** As RFC 4180 records; valid until the next run. */
  readonly csv: Uint8Array;
}

/** Merges the groups of entries that lie in the kernel's memory, in their order. */
export class GroupKernel {
  readonly #kernel: EntryKernel;
  readonly #entries: number;
  readonly #frame: number;

  /** Null when there is a measure that the kernel does not know. `area` is for it, `entries` the frame
   *  of the entries, with an output. */
  static create(
    kernel: EntryKernel,
    entries: number,
    area: number,
    { keyTypes, measures }: AggregateShape,
  ): GroupKernel | null {
    const isTaken = measures.every(
      ({ function: fn, distinct }) => Object.hasOwn(KINDS, fn) && distinct !== true,
    );
    if (!isTaken || measures.length > MEASURES_MAX) return null;
    const places = area + FRAME_BYTES;
    const states = places + measures.length * MEASURE_BYTES;
    kernel
      .words(area, FRAME_BYTES / 4)
      .set([entries, keyTypes.length, places, measures.length, states, 0]);
    const known = measures.flatMap(({ function: fn, type }) => [
      ...[KINDS[fn]!, type === null ? 0 : KERNEL_TYPES[type]],
    ]);
    kernel.words(places, known.length).set(known);
    return new GroupKernel(kernel, entries, area);
  }

  private constructor(kernel: EntryKernel, entries: number, frame: number) {
    this.#kernel = kernel;
    this.#entries = entries;
    this.#frame = frame;
  }

  /** Goes on at place `from`. Where it gets nowhere, the group there is left to the reference. */
  run(from: number): GroupRun {
    const kernel = this.#kernel;
    const next = kernel.exports.mergeGroups(this.#frame, from);
    const groups = kernel.words(this.#frame, FRAME_BYTES / 4)[GROUPS]!;
    return { next, groups, csv: kernel.written(this.#entries) };
  }
}
