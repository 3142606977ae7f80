import { invariant } from '../errors.ts';
import { LIMITS } from '../limits.ts';

/**
 * The in-order watermark over chunk indexes, with a bounded set of chunks that are done ahead.
 *
 * | chunk index        | state                                   | accept()    |
 * | ------------------ | --------------------------------------- | ----------- |
 * | below `next`       | handed out by `advance()`               | 'duplicate' |
 * | `next` and above   | not accepted yet                        | 'new'       |
 * | `next` and above   | accepted, waits for those before it     | 'duplicate' |
 */
export class Watermark {
  readonly #aheadMax: number;
  readonly #ahead = new Set<number>();
  #next: number;

  constructor(next = 0, aheadMax: number = LIMITS.reorderChunksMax) {
    this.#next = next;
    this.#aheadMax = aheadMax;
  }

  /** The first chunk that is not merged yet. */
  get next(): number {
    return this.#next;
  }

  /** Chunks accepted and not handed out. */
  get aheadCount(): number {
    return this.#ahead.size;
  }

  /** Whether a chunk is near enough to the watermark to be worked on. */
  mayStart(index: number): boolean {
    return index < this.#next + this.#aheadMax;
  }

  /** Takes note that a chunk is done. It must be one that `mayStart` admitted. */
  accept(index: number): 'new' | 'duplicate' {
    invariant(Number.isInteger(index) && index >= 0, 'a chunk index is a whole number');
    if (index < this.#next || this.#ahead.has(index)) return 'duplicate';
    invariant(this.mayStart(index), 'chunks are done within the reorder window only');
    this.#ahead.add(index);
    return 'new';
  }

  /** The next chunk in file order when it is done, moving the watermark past it; else null. */
  advance(): number | null {
    if (!this.#ahead.delete(this.#next)) return null;
    this.#next += 1;
    return this.#next - 1;
  }
}
