import { encodeLists } from './distinct-index.ts';
import { isSameKey, type Entries } from './entries.ts';
import { encodeOrdinals } from './ordinal-list.ts';

/** The output of a task that compared keys, and the index of it. */
export interface DuplicatesFound {
  readonly output: Uint8Array[];
  readonly exchange: Uint8Array;
}

/**
 * Of entries of equal keys all but the first, or the last, are duplicates; `order` is that of the keys.
 * An entry's record is the ordinal of a record in the output that its slice is of.
 */
export function findDuplicates(
  entries: Entries,
  slices: readonly { readonly result: string }[],
  keep: 'first' | 'last',
  order: Uint32Array,
): DuplicatesFound {
  const { count } = entries;
  const isDuplicate = new Uint8Array(count);
  for (let i = 1; i < count; i++) {
    const left = order[i - 1]!;
    const right = order[i]!;
    if (isSameKey(entries, left, right)) isDuplicate[keep === 'first' ? right : left] = 1;
  }
  const lists = slices.map(({ result }, slice) => {
    const from = entries.sliceStarts[slice]!;
    const to = entries.sliceStarts[slice + 1]!;
    const ordinals: number[] = [];
    for (let entry = from; entry < to; entry++) {
      if (isDuplicate[entry] === 1) ordinals.push(ordinalAt(entries, entry));
    }
    return { of: result, list: encodeOrdinals(Uint32Array.from(ordinals).sort()) };
  });
  return {
    output: lists.map(({ list }) => list).filter((list) => list.length > 0),
    exchange: encodeLists(lists),
  };
}

function ordinalAt({ bytes, keyEnds }: Entries, entry: number): number {
  let at = keyEnds[entry]!;
  let value = 0;
  let shift = 0;
  let byte: number;
  do {
    byte = bytes[at++]!;
    value += (byte & 0x7f) << shift;
    shift += 7;
  } while (byte >= 0x80);
  return value;
}
