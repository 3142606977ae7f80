import { ValueVector } from '../execution/vectors.ts';
import { ValueKind, valueKind } from '../values/value-kind.ts';
import type { InputCell } from './input-cell.ts';
import { scalarText } from './scalar-text.ts';

/**
 * Builds a group's key: for each key column 0 for NULL, else the length of the canonical text plus
 * one, seven bits a byte with low bits first, and that text. Text keys are the unquoted bytes;
 * others are the value's canonical text, so that `07`, `7` and `7.0` of an integer column meet.
 */
export class KeyEncoder {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  length = 0;

  readonly #encoder = new TextEncoder();

  reset(): void {
    this.length = 0;
  }

  append(cell: InputCell): void {
    if (cell.isNull) {
      this.#reserve(1);
      this.bytes[this.length++] = 0;
      return;
    }
    const { bytes, start, end } = cell.slice;
    if (isCanonical(cell)) this.#appendText(bytes, start, end);
    else {
      const text = this.#encoder.encode(scalarText(cell.scalar, cell.type));
      this.#appendText(text, 0, text.length);
    }
  }

  #appendText(bytes: Uint8Array, start: number, end: number): void {
    const textLength = end - start;
    this.#reserve(textLength + 8);
    const target = this.bytes;
    let position = this.length;
    let left = textLength + 1;
    while (left > 0x7f) {
      target[position++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    target[position++] = left;
    for (let i = start; i < end; i++) target[position++] = bytes[i]!;
    this.length = position;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array((this.length + more) * 2);
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** Whether the text is sure to be the canonical text of its value already. */
function isCanonical({ type, slice, vector }: InputCell): boolean {
  if (type === 'string') return true;
  if (vector instanceof ValueVector) return false;
  const kind = valueKind(slice.bytes, slice.start, slice.end);
  return (
    (type === 'integer' && kind === ValueKind.integer) ||
    (type === 'date' && kind === ValueKind.date)
  );
}

/** The canonical texts of a key, in column order; null for NULL. Views on the key. */
export function decodeKey(key: Uint8Array, columnCount: number): (Uint8Array | null)[] {
  const texts: (Uint8Array | null)[] = [];
  let position = 0;
  for (let column = 0; column < columnCount; column++) {
    let tag = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = key[position++]!;
      tag |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    texts.push(tag === 0 ? null : key.subarray(position, position + tag - 1));
    if (tag > 0) position += tag - 1;
  }
  return texts;
}
