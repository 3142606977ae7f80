import { lowered } from '../values/letter-case.ts';
import { RegularExpressionError } from '../values/regular-expression.ts';

/** Stand in a pattern for any text and for one character; bytes are 0 to 255. */
const ANY = -1;
const ONE = -2;

/**
 * SQL's LIKE over bytes of UTF-8: `%` is any text, `_` is one character, and what follows the escape
 * character is itself. Takes time proportional to text times pattern at worst, and does not recurse.
 */
export class LikePattern {
  private readonly pattern: Int16Array;
  private readonly ignoreCase: boolean;

  /** `escape` is one character of ASCII, or '' for none. Throws RegularExpressionError. */
  constructor(pattern: string, ignoreCase: boolean, escape: string) {
    this.ignoreCase = ignoreCase;
    this.pattern = compiled(
      ignoreCase ? lowered(pattern) : pattern,
      ignoreCase ? lowered(escape) : escape,
    );
  }

  matches(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.ignoreCase) return this.matchesBytes(bytes, start, end);
    return this.matchesText(new TextDecoder().decode(bytes.subarray(start, end)));
  }

  matchesText(text: string): boolean {
    const bytes = new TextEncoder().encode(this.ignoreCase ? lowered(text) : text);
    return this.matchesBytes(bytes, 0, bytes.length);
  }

  /** Greedy, with one place to go back to: the last `%`. */
  private matchesBytes(bytes: Uint8Array, start: number, end: number): boolean {
    const { pattern } = this;
    let at = start;
    let p = 0;
    let anyAt = -1;
    let retryAt = 0;
    while (at < end) {
      const wanted = pattern[p];
      if (wanted === ANY) {
        anyAt = p++;
        retryAt = at;
      } else if (wanted === ONE) {
        at = nextCharacter(bytes, at, end);
        p++;
      } else if (wanted === bytes[at]) {
        at++;
        p++;
      } else if (anyAt >= 0) {
        retryAt = nextCharacter(bytes, retryAt, end);
        at = retryAt;
        p = anyAt + 1;
      } else {
        return false;
      }
    }
    while (pattern[p] === ANY) p++;
    return p === pattern.length;
  }
}

function compiled(pattern: string, escape: string): Int16Array {
  const bytes = new TextEncoder().encode(pattern);
  const escapeByte = escape === '' ? -1 : escape.charCodeAt(0);
  const codes: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === escapeByte) {
      if (++i === bytes.length) {
        throw new RegularExpressionError('A LIKE pattern must not end with its escape character');
      }
      codes.push(bytes[i]!);
    } else codes.push(byte === PERCENT ? ANY : byte === UNDERSCORE ? ONE : byte);
  }
  return Int16Array.from(codes);
}

const PERCENT = 0x25;
const UNDERSCORE = 0x5f;

function nextCharacter(bytes: Uint8Array, at: number, end: number): number {
  let next = at + 1;
  while (next < end && (bytes[next]! & 0xc0) === 0x80) next++;
  return next;
}
