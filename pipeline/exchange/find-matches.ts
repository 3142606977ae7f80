import { SluiceError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { encodeLists } from './distinct-index.ts';
import { isSameKey, slicesOf, type Entries } from './entries.ts';

/** The output of a task that found matches, and the index of it. */
export interface MatchesFound {
  readonly output: Uint8Array[];
  readonly exchange: Uint8Array;
}

/**
 * The records of a lookup that match the keys of other outputs: a list for each of these, of the keys
 * that have a match. `order` is that of the keys; the first `builds` slices are those of the lookup, in
 * its order. An entry of the others has its key's number there for a record, and stands in the list
 * as that number, how many records match, and each of them with its length.
 * Throws `limit-exceeded`.
 */
export function findMatches(
  entries: Entries,
  slices: readonly { readonly result: string }[],
  builds: number,
  order: Uint32Array,
  bytesMax: number = LIMITS.joinOutputBytesMax,
): MatchesFound {
  const { bytes, keyEnds, recordEnds, count } = entries;
  const sliceOf = slicesOf(entries);
  const lists = slices.slice(builds).map(({ result }) => ({ of: result, list: new ByteWriter() }));
  let total = 0;
  for (let from = 0; from < count;) {
    const start = from;
    let to = start + 1;
    while (to < count && isSameKey(entries, order[start]!, order[to]!)) to++;
    from = to;
    let behind = start;
    while (behind < to && sliceOf[order[behind]!]! < builds) behind++;
    if (behind === start) continue;
    for (let i = behind; i < to; i++) {
      const asking = order[i]!;
      const { list } = lists[sliceOf[asking]! - builds]!;
      const before = list.length;
      list.slice(bytes, keyEnds[asking]!, recordEnds[asking]!);
      list.count(behind - start);
      for (let m = start; m < behind; m++) {
        const match = order[m]!;
        list.count(recordEnds[match]! - keyEnds[match]!);
        list.slice(bytes, keyEnds[match]!, recordEnds[match]!);
      }
      total += list.length - before;
      if (total > bytesMax) throw matchesTooLarge(total);
    }
  }
  const found = lists.map(({ of, list }) => ({ of, list: list.finish() }));
  return {
    output: found.map(({ list }) => list).filter((list) => list.length > 0),
    exchange: encodeLists(found),
  };
}

/** The error of a join that finds too much. */
export function matchesTooLarge(matchBytes: number): SluiceError {
  const { joinOutputBytesMax } = LIMITS;
  const message =
    `A join finds more than ${joinOutputBytesMax} bytes of matches at once: too many records of the ` +
    'lookup have the same key. Join on more columns, select fewer, or remove repeated keys from the lookup';
  return new SluiceError('limit-exceeded', message, {
    details: { matchBytes, joinOutputBytesMax },
  });
}
