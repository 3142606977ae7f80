import type { Dialect } from '../parsing/dialect.ts';
import { unquoteInto } from '../parsing/field.ts';
import { syntaxOf } from '../parsing/syntax.ts';

/**
 * A window on one unquoted field. It points into the buffer itself where the unquoted text stands
 * there as it is; only fields with escaped characters are copied, into a scratch that is reused.
 */
export class FieldSlice {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  readonly #dialect: Dialect;
  /** The quote when it is one byte, and the first byte of a longer one; -1 when there is none. */
  readonly #quote: number;
  readonly #isOneByte: boolean;
  readonly #hasEscape: boolean;
  #scratch = new Uint8Array(256);

  constructor(dialect: Dialect) {
    const { quote, escape } = syntaxOf(dialect);
    this.#dialect = dialect;
    this.#quote = quote[0] ?? -1;
    this.#isOneByte = quote.length === 1;
    this.#hasEscape = escape.length > 0;
  }

  /** Points at the field whose raw bytes, quotes included, are `bytes[start, end)`. */
  point(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    if (start === end) return;
    if (this.#hasEscape) this.#copy(bytes, start, end);
    else if (bytes[start] === this.#quote) this.#unquote(bytes, start, end);
  }

  #unquote(bytes: Uint8Array, start: number, end: number): void {
    let i = start + 1;
    while (i < end && bytes[i] !== this.#quote) i++;
    if (this.#isOneByte && i === end - 1) {
      this.start = start + 1;
      this.end = i;
    } else this.#copy(bytes, start, end);
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > this.#scratch.length) this.#scratch = new Uint8Array((end - start) * 2);
    const length = unquoteInto(this.#scratch, 0, bytes, start, end, this.#dialect);
    this.bytes = this.#scratch;
    this.start = 0;
    this.end = length;
  }
}
