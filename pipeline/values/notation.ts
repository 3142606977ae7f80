import { matchesAt } from '../parsing/syntax.ts';
import { parseBoolean } from './boolean.ts';
import { isBlank, parseDouble, parseInteger } from './number.ts';

/**
 * How the texts of a column write its values, where a field of the plan's schema says so (Data
 * Package v2 Table Schema: decimalChar, groupChar, trueValues, falseValues). Plain JSON.
 */
export type Notation =
  | {
      readonly type: 'number' | 'integer';
      /** One character each; null where there is none. */
      readonly decimalChar: string | null;
      readonly groupChar: string | null;
    }
  | {
      readonly type: 'boolean';
      /** Exact texts; null for those that are read without a notation. */
      readonly trueValues: readonly string[] | null;
      readonly falseValues: readonly string[] | null;
    };

/**
 * Writes the value of the text `bytes[start, end)` plainly, as it is read without a notation, to
 * `target` at `at`, where `end - start` bytes, and 5 at least, have room. Returns the offset behind
 * it, or -1 when the text is no such value.
 */
export type Rewrite = (
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
) => number;

/** Bytes of the longest text that stands for a boolean. */
export const PLAIN_BYTES_MIN = 5;

const DOT = 0x2e;
const encoder = new TextEncoder();

export function rewriterOf(notation: Notation): Rewrite {
  return notation.type === 'boolean' ? booleanRewriter(notation) : numberRewriter(notation);
}

/** In words, for what does not read so. */
export function notationText(notation: Notation): string {
  const shown =
    notation.type === 'boolean'
      ? { trueValues: notation.trueValues, falseValues: notation.falseValues }
      : { decimalChar: notation.decimalChar, groupChar: notation.groupChar };
  const parts = Object.entries(shown).flatMap(([option, value]) => {
    return value === null ? [] : [`${option} ${JSON.stringify(value)}`];
  });
  const text = parts.join(', ');
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

/** A group character counts between two digits before the fraction, and nowhere else. Blanks around
 *  the number are left out. */
function numberRewriter(notation: Exclude<Notation, { type: 'boolean' }>): Rewrite {
  const decimal = encoder.encode(notation.decimalChar ?? '');
  const group = encoder.encode(notation.groupChar ?? '');
  const isInteger = notation.type === 'integer';
  return (bytes, from, until, target, at) => {
    let start = from;
    let end = until;
    while (start < end && isBlank(bytes[start]!)) start++;
    while (end > start && isBlank(bytes[end - 1]!)) end--;
    let to = at;
    let isWhole = true;
    for (let i = start; i < end;) {
      const byte = bytes[i]!;
      if (matchesAt(bytes, i, end, decimal)) {
        target[to++] = DOT;
        i += decimal.length;
        isWhole = false;
        continue;
      }
      const next = i + group.length;
      const isBetween = i > start && next < end && isDigit(bytes[i - 1]!) && isDigit(bytes[next]!);
      if (isWhole && isBetween && matchesAt(bytes, i, end, group)) {
        i = next;
        continue;
      }
      if (byte === DOT) return -1;
      if ((byte | 0x20) === 0x65) isWhole = false;
      target[to++] = byte;
      i++;
    }
    const isValue = isInteger
      ? parseInteger(target, at, to) !== null
      : !Number.isNaN(parseDouble(target, at, to));
    return isValue ? to : -1;
  };
}

function booleanRewriter(notation: Extract<Notation, { type: 'boolean' }>): Rewrite {
  const trueTexts = notation.trueValues?.map((text) => encoder.encode(text)) ?? null;
  const falseTexts = notation.falseValues?.map((text) => encoder.encode(text)) ?? null;
  const plain = { true: encoder.encode('true'), false: encoder.encode('false') };
  const valueOf = (bytes: Uint8Array, start: number, end: number): boolean | null => {
    const isText = (text: Uint8Array): boolean =>
      text.length === end - start && text.every((byte, i) => byte === bytes[start + i]);
    if (trueTexts?.some(isText) === true) return true;
    if (falseTexts?.some(isText) === true) return false;
    const value = parseBoolean(bytes, start, end);
    const isStated = (value === true ? trueTexts : falseTexts) !== null;
    return isStated ? null : value;
  };
  return (bytes, start, end, target, at) => {
    const value = valueOf(bytes, start, end);
    if (value === null) return -1;
    const text = value ? plain.true : plain.false;
    target.set(text, at);
    return at + text.length;
  };
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
