import { hexValue } from './value-scanner.ts';

const BACKSLASH = 0x5c;
const QUOTE = 0x22;

/** The byte that a simple escape stands for. */
const ESCAPED: Readonly<Record<number, number>> = {
  0x22: 0x22,
  0x5c: 0x5c,
  0x2f: 0x2f,
  0x62: 8,
  0x66: 12,
  0x6e: 10,
  0x72: 13,
  0x74: 9,
};

/**
 * Writes the text of a valid JSON string's inside `[start, end)` to `target` at `at` as UTF-8, where
 * `end - start` bytes have room. Returns the offset behind it, or -1 for a lone surrogate, which is
 * no text.
 */
export function decodeStringInto(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let to = at;
  let from = start;
  while (from < end) {
    const byte = bytes[from]!;
    if (byte !== BACKSLASH) {
      target[to++] = byte;
      from++;
      continue;
    }
    const letter = bytes[from + 1]!;
    if (letter !== 0x75) {
      target[to++] = ESCAPED[letter]!;
      from += 2;
      continue;
    }
    let code = codeUnit(bytes, from + 2);
    from += 6;
    if (code >= 0xd800 && code <= 0xdfff) {
      const isPair = code < 0xdc00 && bytes[from] === BACKSLASH && bytes[from + 1] === 0x75;
      const low = isPair && from + 6 <= end ? codeUnit(bytes, from + 2) : 0;
      if (low < 0xdc00 || low > 0xdfff) return -1;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      from += 6;
    }
    to = writeCodePoint(target, to, code);
  }
  return to;
}

/** Text of the valid JSON string whose opening quote is at `start`; null for a lone surrogate. */
export function decodeString(bytes: Uint8Array, start: number, end: number): string | null {
  let close = start + 1;
  let isPlain = true;
  while (close < end && bytes[close] !== QUOTE) {
    if (bytes[close] === BACKSLASH) {
      isPlain = false;
      close++;
    }
    close++;
  }
  if (isPlain) return textOf(bytes, start + 1, close);
  const target = Buffer.allocUnsafe(close - start);
  const length = decodeStringInto(target, 0, bytes, start + 1, close);
  return length < 0 ? null : target.toString('utf8', 0, length);
}

export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8', start, end);
}

function codeUnit(bytes: Uint8Array, at: number): number {
  let code = 0;
  for (let i = at; i < at + 4; i++) code = code * 16 + hexValue(bytes[i]!);
  return code;
}

function writeCodePoint(target: Uint8Array, at: number, code: number): number {
  let to = at;
  if (code < 0x80) {
    target[to++] = code;
  } else if (code < 0x800) {
    target[to++] = 0xc0 | (code >> 6);
    target[to++] = 0x80 | (code & 0x3f);
  } else if (code < 0x10000) {
    target[to++] = 0xe0 | (code >> 12);
    target[to++] = 0x80 | ((code >> 6) & 0x3f);
    target[to++] = 0x80 | (code & 0x3f);
  } else {
    target[to++] = 0xf0 | (code >> 18);
    target[to++] = 0x80 | ((code >> 12) & 0x3f);
    target[to++] = 0x80 | ((code >> 6) & 0x3f);
    target[to++] = 0x80 | (code & 0x3f);
  }
  return to;
}
