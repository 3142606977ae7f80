import { ByteReader } from '../values/byte-reader.ts';
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
  const isDuplicate = duplicatesOf(entries, keep, order);
  const reader = new ByteReader(entries.bytes);
  const lists = slices.map(({ result }, slice) => {
    const from = entries.sliceStarts[slice]!;
    const to = entries.sliceStarts[slice + 1]!;
    const ordinals: number[] = [];
    for (let entry = from; entry < to; entry++) {
      if (isDuplicate[entry] === 0) continue;
      reader.seek(entries.keyEnds[entry]!);
      ordinals.push(reader.count());
    }
    return { of: result, list: encodeOrdinals(Uint32Array.from(ordinals).sort()) };
  });
  return foundOf(lists);
}

/** The same of gathered entries: an entry's record says the number of its output before the ordinal. */
export function findGatheredDuplicates(
  entries: Entries,
  keep: 'first' | 'last',
  order: Uint32Array,
): DuplicatesFound {
  const isDuplicate = duplicatesOf(entries, keep, order);
  const found = new Map<number, number[]>();
  const reader = new ByteReader(entries.bytes);
  for (let entry = 0; entry < entries.count; entry++) {
    if (isDuplicate[entry] === 0) continue;
    reader.seek(entries.keyEnds[entry]!);
    const run = reader.count();
    const known = found.get(run);
    if (known === undefined) found.set(run, [reader.count()]);
    else known.push(reader.count());
  }
  const lists = [...found.entries()].sort(([left], [right]) => left - right);
  return foundOf(
    lists.map(([of, ordinals]) => ({
      ...{ of, list: encodeOrdinals(Uint32Array.from(ordinals).sort()) },
    })),
  );
}

/** By entry: 1 for those that others of the same key leave no place. */
function duplicatesOf(entries: Entries, keep: 'first' | 'last', order: Uint32Array): Uint8Array {
  const { count } = entries;
  const isDuplicate = new Uint8Array(count);
  for (let i = 1; i < count; i++) {
    const left = order[i - 1]!;
    const right = order[i]!;
    if (isSameKey(entries, left, right)) isDuplicate[keep === 'first' ? right : left] = 1;
  }
  return isDuplicate;
}

function foundOf(
  lists: readonly { readonly of: string | number; readonly list: Uint8Array }[],
): DuplicatesFound {
  return {
    output: lists.map(({ list }) => list).filter((list) => list.length > 0),
    exchange: encodeLists(lists),
  };
}
