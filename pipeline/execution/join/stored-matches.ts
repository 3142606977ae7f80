import type { Entries } from '../../exchange/entries.ts';
import { ByteReader } from '../../values/byte-reader.ts';
import type { Batch } from '../batch.ts';
import { NULL_KEY } from '../probe-sink.ts';
import type { TextVector } from '../vectors.ts';
import { NO_MATCH } from './lookup-table.ts';
import type { Matcher } from './matcher.ts';

/**
 * The matches that the wave before found for the records of one output, see `findMatches`. They are
 * asked for batch by batch, in the order of the records: every batch has to be loaded.
 */
export class StoredMatches implements Matcher {
  readonly #records: Entries;
  readonly #lists: readonly Uint8Array[];
  /** By number of a key: its first match. */
  #firsts = new Int32Array(1024);
  /** By match: the list it is in and where its cells begin there, and if it is the last of its key. */
  #listOf = new Uint32Array(1024);
  #starts = new Uint32Array(1024);
  #isLast = new Uint8Array(1024);
  #matchCount = 0;
  /** The first record of the batch, and of the next one. */
  #from = 0;
  #to = 0;

  /** `records` stand with the numbers of their keys, as `ProbeSink` wrote them. Errors: `blob-corrupt`. */
  constructor(records: Entries, lists: readonly Uint8Array[]) {
    this.#records = records;
    this.#lists = lists;
    this.#firsts.fill(NO_MATCH);
    lists.forEach((list, i) => this.#read(list, i));
  }

  load({ index }: Batch): void {
    this.#from = this.#to;
    this.#to += index.recordCount;
  }

  first(_batch: Batch, record: number): number {
    const key = this.#keyOf(this.#from + record);
    return key === NULL_KEY ? NO_MATCH : (this.#firsts[key] ?? NO_MATCH);
  }

  next(match: number): number {
    return this.#isLast[match] === 1 ? NO_MATCH : match + 1;
  }

  copyCell(match: number, column: number, target: TextVector, position: number): void {
    const list = this.#lists[this.#listOf[match]!]!;
    let at = this.#starts[match]!;
    for (let passed = 0; ; passed++) {
      let size = 0;
      let shift = 0;
      let byte: number;
      do {
        byte = list[at++]!;
        size += (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80);
      const end = at + Math.max(0, size - 1);
      if (passed === column) {
        if (size === 0) target.valid[position] = 0;
        else target.copy(position, list, at, end);
        return;
      }
      at = end;
    }
  }

  #read(list: Uint8Array, at: number): void {
    const reader = new ByteReader(list);
    while (!reader.done) {
      const key = reader.count();
      const count = reader.count();
      if (key >= this.#firsts.length) this.#growKeys(key);
      this.#firsts[key] = this.#matchCount;
      for (let i = 0; i < count; i++) {
        const match = this.#matchCount++;
        if (match === this.#starts.length) this.#growMatches();
        this.#listOf[match] = at;
        const bytes = reader.count();
        this.#starts[match] = reader.position;
        reader.raw(bytes);
        this.#isLast[match] = i === count - 1 ? 1 : 0;
      }
    }
  }

  /** The number of a record's key. */
  #keyOf(record: number): number {
    const { bytes, keyStarts, keyEnds } = this.#records;
    let key = 0;
    let shift = 0;
    for (let at = keyStarts[record]!; at < keyEnds[record]!; at++, shift += 7) {
      key += (bytes[at]! & 0x7f) << shift;
    }
    return key;
  }

  #growKeys(key: number): void {
    const grown = new Int32Array(key * 2).fill(NO_MATCH);
    grown.set(this.#firsts);
    this.#firsts = grown;
  }

  #growMatches(): void {
    const length = this.#starts.length * 2;
    const grown = <T extends Uint32Array | Uint8Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#listOf = grown(new Uint32Array(length), this.#listOf);
    this.#starts = grown(new Uint32Array(length), this.#starts);
    this.#isLast = grown(new Uint8Array(length), this.#isLast);
  }
}
