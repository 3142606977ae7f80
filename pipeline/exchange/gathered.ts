import { SluiceError } from '../errors.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { readBlockIndex, type BlockIndex } from './block-index.ts';
import { compareKeys } from './order-by-key.ts';
import type { Run } from './plan-sort.ts';
import type { GatheredSide } from './wave-document.ts';

const SIDES: readonly GatheredSide[] = ['records', 'lookup'];

/** An output of gathered entries. */
export interface GatheredRun extends Run {
  readonly side: GatheredSide;
}

/** The exchange section of gathered entries. */
export function encodeGathered(side: GatheredSide, index: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(SIDES.indexOf(side));
  writer.block(index);
  return writer.finish();
}

/** The inverse. Throws `blob-corrupt`. */
export function readGathered(taskKey: string, bytes: Uint8Array): GatheredRun {
  const reader = new ByteReader(bytes);
  const side = SIDES[reader.byte()];
  if (side === undefined) throw new SluiceError('blob-corrupt', 'Gathered entries of no side');
  return { taskKey, side, index: readBlockIndex(reader.block()) };
}

/**
 * Cuts outputs where the keys of one are not all behind those of the one before: so many of them may
 * hold the same range of keys. Keys that the indexes have cut may look the same.
 */
export function chainsOf(runs: readonly GatheredRun[]): GatheredRun[][] {
  const chains: GatheredRun[][] = [];
  for (const run of runs.filter(({ index }) => index.count > 0)) {
    const chain = chains.at(-1);
    const last = chain?.at(-1);
    if (last?.side === run.side && follows(last.index, run.index)) chain?.push(run);
    else chains.push([run]);
  }
  return chains;
}

function follows(left: BlockIndex, right: BlockIndex): boolean {
  const last = keyAt(left, left.count);
  const first = keyAt(right, 0);
  return compareKeys(last, 0, last.length, first, 0, first.length) <= 0;
}

function keyAt({ bytes, keyStarts, keyEnds }: BlockIndex, at: number): Uint8Array {
  return bytes.subarray(keyStarts[at], keyEnds[at]);
}
