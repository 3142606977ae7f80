import type { Dialect } from './dialect.ts';
import type { RecordIndex } from './record-index.ts';
import { matchesAt, syntaxOf } from './syntax.ts';
import type { Syntax } from './syntax.ts';

/** The text of the field `[start, end)`: quotes and escapes resolved, ill-formed UTF-8 replaced. */
export function fieldText(bytes: Uint8Array, start: number, end: number, dialect: Dialect): string {
  if (isVerbatim(bytes, start, end, syntaxOf(dialect))) return decode(bytes, start, end);
  const value = Buffer.allocUnsafe(end - start);
  return value.toString('utf8', 0, unquoteInto(value, 0, bytes, start, end, dialect));
}

/**
 * Copies the value of the field `[start, end)` to `target` at `at`, where `end - start` bytes have
 * room. Returns the offset behind the copy.
 */
export function unquoteInto(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  dialect: Dialect,
): number {
  const syntax = syntaxOf(dialect);
  const { quote, escape, doubling } = syntax;
  let isQuoted = matchesAt(bytes, start, end, quote);
  let from = isQuoted ? start + quote.length : start;
  let to = at;
  while (from < end) {
    if (isQuoted && matchesAt(bytes, from, end, quote)) {
      from += quote.length;
      if (!doubling || !matchesAt(bytes, from, end, quote)) {
        isQuoted = false;
        continue;
      }
      for (const byte of quote) target[to++] = byte;
      from += quote.length;
      continue;
    }
    const isEscape = matchesAt(bytes, from, end, escape) && from + escape.length < end;
    if (isEscape) from += escape.length;
    target[to++] = bytes[from++]!;
  }
  return to;
}

/** Whether the value of the field `[start, end)` is exactly these bytes. */
export function fieldEquals(
  bytes: Uint8Array,
  start: number,
  end: number,
  dialect: Dialect,
  expected: Uint8Array,
): boolean {
  if (end - start < expected.length) return false;
  if (isVerbatim(bytes, start, end, syntaxOf(dialect))) {
    return end - start === expected.length && matchesText(bytes, start, expected);
  }
  const value = Buffer.allocUnsafe(end - start);
  const length = unquoteInto(value, 0, bytes, start, end, dialect);
  return length === expected.length && matchesText(value, 0, expected);
}

/** The texts of one record's fields. */
export function recordTexts(
  bytes: Uint8Array,
  index: RecordIndex,
  record: number,
  dialect: Dialect,
): string[] {
  const texts: string[] = [];
  const fieldEnd = index.recordFields[record + 1]!;
  for (let field = index.recordFields[record]!; field < fieldEnd; field++) {
    texts.push(fieldText(bytes, index.fieldStarts[field]!, index.fieldEnds[field]!, dialect));
  }
  return texts;
}

/** Whether the field's bytes are its value as they stand. */
function isVerbatim(bytes: Uint8Array, start: number, end: number, syntax: Syntax): boolean {
  return syntax.escape.length === 0 && !matchesAt(bytes, start, end, syntax.quote);
}

function matchesText(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  return text.length === 0 || matchesAt(bytes, at, bytes.length, text);
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  if (start === end) return '';
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('utf8', start, end);
}
