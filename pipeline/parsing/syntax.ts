import type { Dialect } from './dialect.ts';

/** A dialect as bytes, ready for matching. Texts that the dialect does not use are empty. */
export interface Syntax {
  readonly delimiter: Uint8Array;
  readonly quote: Uint8Array;
  /** Only an escape that is not the quote; empty otherwise. */
  readonly escape: Uint8Array;
  readonly comment: Uint8Array;
  /** Empty where LF, CRLF and a lone CR all end a line. */
  readonly newline: Uint8Array;
  /** A doubled quote inside quotes stands for one quote. */
  readonly doubling: boolean;
  /** One-byte delimiter, quote and line end, all different, and no escape: the fast loops apply. */
  readonly simple: boolean;
  /** Bytes that must be in sight to decide on any one byte. */
  readonly lookahead: number;
}

/** What a byte is in a simple syntax. Line ends come last. */
export const ByteClass = {
  other: 0,
  delimiter: 1,
  quote: 2,
  newline: 3,
  carriageReturn: 4,
} as const;

const LF = 10;
const CR = 13;

const compiled = new WeakMap<Dialect, Syntax>();

/** The syntax of a dialect; compiled once per dialect object. */
export function syntaxOf(dialect: Dialect): Syntax {
  let syntax = compiled.get(dialect);
  if (syntax === undefined) {
    syntax = compile(dialect);
    compiled.set(dialect, syntax);
  }
  return syntax;
}

function compile(dialect: Dialect): Syntax {
  const encoder = new TextEncoder();
  const delimiter = encoder.encode(dialect.delimiter);
  const quote = encoder.encode(dialect.quote);
  const escape = encoder.encode(dialect.escape === dialect.quote ? '' : dialect.escape);
  const comment = encoder.encode(dialect.comment);
  const newline = encoder.encode(dialect.newline === 'any' ? '' : dialect.newline);
  const lookahead = Math.max(
    2,
    ...[delimiter, quote, comment, newline].map((text) => text.length),
    escape.length === 0 ? 0 : escape.length + Math.max(2, newline.length),
  );
  const single = [...delimiter, ...quote, ...(newline.length === 0 ? [LF, CR] : newline)];
  const simple =
    delimiter.length === 1 &&
    quote.length <= 1 &&
    newline.length <= 1 &&
    escape.length === 0 &&
    comment[0] !== LF &&
    comment[0] !== CR &&
    new Set(single).size === single.length;
  const doubling = quote.length > 0 && dialect.escape !== '';
  return { delimiter, quote, escape, comment, newline, doubling, simple, lookahead };
}

/** Class of every byte in a simple syntax; with `delimiters` false they count as other bytes. */
export function byteClasses(syntax: Syntax, delimiters: boolean): Uint8Array {
  const classes = new Uint8Array(256);
  const { delimiter, quote, newline } = syntax;
  if (delimiters && delimiter.length > 0) classes[delimiter[0]!] = ByteClass.delimiter;
  if (quote.length > 0) classes[quote[0]!] = ByteClass.quote;
  if (newline.length > 0) classes[newline[0]!] = ByteClass.newline;
  else {
    classes[LF] = ByteClass.newline;
    classes[CR] = ByteClass.carriageReturn;
  }
  return classes;
}

/** Whether `text` stands at `at`, all of it before `end`. An empty text stands nowhere. */
export function matchesAt(bytes: Uint8Array, at: number, end: number, text: Uint8Array): boolean {
  const length = text.length;
  if (length === 0 || bytes[at] !== text[0] || at + length > end) return false;
  for (let i = 1; i < length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** Length in bytes of the line end at `at`, or 0. */
export function newlineAt(bytes: Uint8Array, at: number, end: number, syntax: Syntax): number {
  const { newline } = syntax;
  if (newline.length > 0) return matchesAt(bytes, at, end, newline) ? newline.length : 0;
  const byte = bytes[at];
  if (byte === LF) return 1;
  if (byte !== CR) return 0;
  return at + 1 < end && bytes[at + 1] === LF ? 2 : 1;
}

/**
 * Offset behind `count` line ends, quotes disregarded; `end` where there are fewer, or -1 where
 * that cannot be known because more bytes follow `end`.
 */
export function skipLines(
  bytes: Uint8Array,
  start: number,
  end: number,
  isFinal: boolean,
  count: number,
  dialect: Dialect,
): number {
  const syntax = syntaxOf(dialect);
  const limit = isFinal ? end : end - syntax.lookahead + 1;
  let at = start;
  let left = count;
  while (left > 0 && at < limit) {
    const length = newlineAt(bytes, at, end, syntax);
    if (length > 0) left--;
    at += Math.max(1, length);
  }
  return left === 0 || isFinal ? at : -1;
}
