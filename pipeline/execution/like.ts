/**
 * SQL's LIKE over bytes of UTF-8: `%` is any text, `_` is one character. Takes time proportional to
 * text times pattern at worst, and does not recurse.
 */
export class LikePattern {
  private readonly pattern: Uint8Array;
  private readonly ignoreCase: boolean;

  constructor(pattern: string, ignoreCase: boolean) {
    this.ignoreCase = ignoreCase;
    this.pattern = new TextEncoder().encode(ignoreCase ? pattern.toLowerCase() : pattern);
  }

  matches(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.ignoreCase) return this.matchesBytes(bytes, start, end);
    const text = new TextDecoder().decode(bytes.subarray(start, end)).toLowerCase();
    const folded = new TextEncoder().encode(text);
    return this.matchesBytes(folded, 0, folded.length);
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
      if (wanted === PERCENT) {
        anyAt = p++;
        retryAt = at;
      } else if (wanted === UNDERSCORE) {
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
    while (pattern[p] === PERCENT) p++;
    return p === pattern.length;
  }
}

const PERCENT = 0x25;
const UNDERSCORE = 0x5f;

function nextCharacter(bytes: Uint8Array, at: number, end: number): number {
  let next = at + 1;
  while (next < end && (bytes[next]! & 0xc0) === 0x80) next++;
  return next;
}
