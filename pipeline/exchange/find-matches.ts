import { SluiceError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { encodeLists } from './distinct-index.ts';
import { isSameKey, slicesOf, type Entries } from './entries.ts';

/** Where a task's entries of keys come from. */
export interface KeySlices {
  readonly slices: readonly { readonly result: string }[];
  /** Of so many first slices entries are records of a lookup, in its order. */
  readonly builds: number;
  /** Whether an entry says the number of the output it is of, before the number of its key. */
  readonly gathered?: boolean;
}

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
  keys: KeySlices,
  order: Uint32Array,
  bytesMax: number = LIMITS.joinOutputBytesMax,
): MatchesFound {
  const { bytes, keyEnds, recordEnds, count } = entries;
  const { builds } = keys;
  const sliceOf = slicesOf(entries);
  const lists = new MatchLists(entries, keys);
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
      const { list, keyStart } = lists.of(asking, sliceOf[asking]!);
      const before = list.length;
      list.slice(bytes, keyStart, recordEnds[asking]!);
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
  const found = lists.finish();
  return {
    output: found.map(({ list }) => list).filter((list) => list.length > 0),
    exchange: encodeLists(found),
  };
}

/** A list for each output that asks. */
class MatchLists {
  readonly #entries: Entries;
  readonly #keys: KeySlices;
  readonly #reader: ByteReader;
  readonly #lists = new Map<string | number, ByteWriter>();

  constructor(entries: Entries, keys: KeySlices) {
    this.#entries = entries;
    this.#keys = keys;
    this.#reader = new ByteReader(entries.bytes);
  }

  /** The list of an entry of a slice, and where the number of its key begins. */
  of(entry: number, slice: number): { readonly list: ByteWriter; readonly keyStart: number } {
    const { gathered = false, slices } = this.#keys;
    const start = this.#entries.keyEnds[entry]!;
    if (!gathered) return { list: this.#list(slices[slice]!.result), keyStart: start };
    this.#reader.seek(start);
    const list = this.#list(this.#reader.count());
    return { list, keyStart: this.#reader.position };
  }

  #list(of: string | number): ByteWriter {
    let list = this.#lists.get(of);
    if (list === undefined) this.#lists.set(of, (list = new ByteWriter()));
    return list;
  }

  finish(): { readonly of: string | number; readonly list: Uint8Array }[] {
    return [...this.#lists].map(([of, list]) => ({ of, list: list.finish() }));
  }
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
