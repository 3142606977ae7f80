/** Small letters, one for one, as DuckDB has them: a letter that would become several is its first. */
export function lowered(text: string): string {
  const simple = text.toLowerCase();
  if (isAscii(text)) return simple;
  let result = '';
  for (const letter of text) result += String.fromCodePoint(letter.toLowerCase().codePointAt(0)!);
  return result;
}

/** Capital letters, one for one: a letter that would become several stays. */
export function raised(text: string): string {
  let result = '';
  for (const letter of text) {
    const upper = letter.toUpperCase();
    if (letter === 'ß') result += 'ẞ';
    else result += isOne(upper) ? upper : letter;
  }
  return result;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function isOne(letter: string): boolean {
  return letter.length === String.fromCodePoint(letter.codePointAt(0)!).length;
}
