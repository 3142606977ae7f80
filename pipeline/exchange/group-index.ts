import { isBlockMeasure } from '../aggregation/group-cursor.ts';
import { KERNEL_TYPES } from '../aggregation/kernel-layout.ts';
import type { AggregateHead } from '../aggregation/partial-codec.ts';
import type { MeasureShape } from '../aggregation/shape.ts';
import type { EntryAreas, EntryKernel } from './entry-kernel.ts';

/** `IndexFrame` in `assembly/entries/index-groups.ts`. */
const FRAME_WORDS = 13;
const WORD_BYTES = 4;
const LEFT = 0xffffffff;
/** What measures wrote. */
const WROTE = { count: 0, block: 1, scalar: 2, text: 3, oneSum: 4, twoSums: 5 } as const;
/** A key's part of the encoded key has a byte at least: of that it makes ten at most, and of any
 *  other two. */
const KEY_FACTOR = 2;
const KEY_COLUMN_BYTES = 10;

/** A partial's groups in the kernel's memory, as entries whose records they are; null where their
 *  keys are left to the reference. The caller has cleared the memory, and adds the order. */
export function indexGroups(
  kernel: EntryKernel,
  partial: Uint8Array,
  { shape: { keyTypes, measures }, groups, reader }: AggregateHead,
): Omit<EntryAreas, 'order'> | null {
  if (keyTypes.includes('number')) return null;
  const recordText = kernel.area(partial.length);
  const text = kernel.area(
    KEY_FACTOR * partial.length + KEY_COLUMN_BYTES * keyTypes.length * groups,
  );
  const [starts = 0, ends = 0, recordStarts = 0, recordEnds = 0] = Array.from({ length: 4 }, () =>
    kernel.area(groups * WORD_BYTES),
  );
  const types = kernel.area(keyTypes.length * WORD_BYTES);
  const wrote = kernel.area(measures.length * WORD_BYTES);
  const frame = kernel.area(FRAME_WORDS * WORD_BYTES);
  kernel.bytes(recordText, partial.length).set(partial);
  kernel.words(types, keyTypes.length).set(keyTypes.map((type) => KERNEL_TYPES[type]));
  kernel.words(wrote, measures.length).set(measures.map(wroteBy));
  kernel
    .words(frame, FRAME_WORDS)
    .set([
      ...[recordText, reader.position, partial.length, groups, types, keyTypes.length],
      ...[wrote, measures.length, text, starts, ends, recordStarts, recordEnds],
    ]);
  if (kernel.exports.indexGroups(frame) >>> 0 === LEFT) return null;
  return { text, starts, ends, recordText, recordStarts, recordEnds, count: groups };
}

/** See `skipMeasure`. */
function wroteBy(measure: MeasureShape): number {
  const { function: name, type } = measure;
  if (isBlockMeasure(measure)) return WROTE.block;
  if (type === null || name === 'count') return WROTE.count;
  if (name === 'min' || name === 'max') return type === 'string' ? WROTE.text : WROTE.scalar;
  return name === 'sum' || name === 'avg' ? WROTE.oneSum : WROTE.twoSums;
}
