import type { Dialect } from '../parsing/dialect.ts';

/**
 * A window on one unquoted field. It points into the buffer itself where the unquoted text stands
 * there as it is; only fields with escaped characters are copied, into a scratch that is reused.
 */
export class FieldSlice {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  readonly #quote: number;
  readonly #escape: number;
  #scratch = new Uint8Array(256);

  constructor(dialect: Dialect) {
    this.#quote = dialect.quote === '' ? -1 : dialect.quote.charCodeAt(0);
    this.#escape = dialect.escape === '' ? -1 : dialect.escape.charCodeAt(0);
  }

  /** Points at the field whose raw bytes, quotes included, are `bytes[start, end)`. */
  point(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    if (start < end && bytes[start] === this.#quote) this.#unquote(bytes, start, end);
  }

  #unquote(bytes: Uint8Array, start: number, end: number): void {
    const quote = this.#quote;
    const escape = this.#escape;
    let i = start + 1;
    while (i < end && bytes[i] !== quote && bytes[i] !== escape) i++;
    if (i === end - 1 && bytes[i] === quote) {
      this.start = start + 1;
      this.end = end - 1;
      return;
    }
    this.#copy(bytes, start, end);
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > this.#scratch.length) this.#scratch = new Uint8Array((end - start) * 2);
    const target = this.#scratch;
    let length = 0;
    let open = true;
    for (let i = start + 1; i < end; i++) {
      const byte = bytes[i]!;
      const next = i + 1 < end ? bytes[i + 1] : -1;
      if (open && byte === this.#escape && (next === this.#quote || next === this.#escape)) {
        target[length++] = bytes[++i]!;
      } else if (open && byte === this.#quote) open = false;
      else target[length++] = byte;
    }
    this.bytes = target;
    this.start = 0;
    this.end = length;
  }
}
