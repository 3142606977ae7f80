import type { FieldSlice } from './field-slice.ts';

/**
 * Which fields are NULL. In delimited text those whose unquoted text is one of `nullstr`, quoted or
 * not; where quotes tell the empty text from NULL, fields without a byte and no others.
 */
export class NullTexts {
  readonly #texts: readonly Uint8Array[];
  readonly #emptyIsNull: boolean;
  readonly #tellsEmpty: boolean;

  constructor(nullstr: readonly string[], tellsEmpty: boolean) {
    const encoder = new TextEncoder();
    this.#texts = nullstr.filter((text) => text !== '').map((text) => encoder.encode(text));
    this.#emptyIsNull = nullstr.includes('');
    this.#tellsEmpty = tellsEmpty;
  }

  /** Points `slice` at the field whose raw bytes, quotes included, are `bytes[start, end)`; true when it is
   *  NULL. */
  pointAt(slice: FieldSlice, bytes: Uint8Array, start: number, end: number): boolean {
    slice.point(bytes, start, end);
    if (this.#tellsEmpty) return start === end;
    const length = slice.end - slice.start;
    if (length === 0) return this.#emptyIsNull;
    for (const text of this.#texts) {
      if (text.length === length && startsWith(slice.bytes, slice.start, text)) return true;
    }
    return false;
  }
}

function startsWith(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}
