/** An async byte source whose first bytes can be looked at before it is read. One reader only. */
export class PeekableSource implements AsyncIterable<Uint8Array> {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #ahead: Uint8Array[] = [];
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** The first bytes: at least `bytesWanted`, or all there are, when `complete`. */
  async peek(bytesWanted: number): Promise<{ sample: Uint8Array; complete: boolean }> {
    let held = this.#ahead.reduce((sum, part) => sum + part.length, 0);
    while (held < bytesWanted && !this.#ended) {
      const next = await this.#iterator.next();
      if (next.done === true) {
        this.#ended = true;
      } else {
        this.#ahead.push(next.value);
        held += next.value.length;
      }
    }
    const sample = this.#ahead.length === 1 ? this.#ahead[0] : Buffer.concat(this.#ahead);
    this.#ahead = sample === undefined ? [] : [sample];
    return { sample: sample ?? new Uint8Array(0), complete: this.#ended };
  }

  /** All that was read and not given out: for a reader who then reads the source itself. */
  takeAhead(): Uint8Array {
    const ahead = this.#ahead.length === 1 ? this.#ahead[0] : Buffer.concat(this.#ahead);
    this.#ahead = [];
    return ahead ?? new Uint8Array(0);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      while (this.#ahead.length > 0) {
        const part = this.#ahead.shift();
        if (part !== undefined && part.length > 0) yield part;
      }
      while (!this.#ended) {
        const next = await this.#iterator.next();
        if (next.done === true) this.#ended = true;
        else yield next.value;
      }
    } finally {
      await this.#iterator.return?.();
    }
  }
}
