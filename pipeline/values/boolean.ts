const TRUE_WORDS = ['true', 't', 'yes', 'y', '1'];
const FALSE_WORDS = ['false', 'f', 'no', 'n', '0'];

/** DuckDB's cast to BOOLEAN: true, t, yes, y, 1 and their opposites, in any case; else null. */
export function parseBoolean(bytes: Uint8Array, start: number, end: number): boolean | null {
  if (TRUE_WORDS.some((word) => isWord(bytes, start, end, word))) return true;
  if (FALSE_WORDS.some((word) => isWord(bytes, start, end, word))) return false;
  return null;
}

function isWord(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[start + i]!;
    const folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (folded !== word.charCodeAt(i)) return false;
  }
  return true;
}
