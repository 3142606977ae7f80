/** The texts that stand for NULL, matched against unquoted fields. */
export class NullTexts {
  readonly #texts: readonly Uint8Array[];
  readonly #emptyIsNull: boolean;

  constructor(nullstr: readonly string[]) {
    const encoder = new TextEncoder();
    this.#texts = nullstr.filter((text) => text !== '').map((text) => encoder.encode(text));
    this.#emptyIsNull = nullstr.includes('');
  }

  isNull(bytes: Uint8Array, start: number, end: number): boolean {
    if (start === end) return this.#emptyIsNull;
    for (const text of this.#texts) {
      if (text.length === end - start && startsWith(bytes, start, text)) return true;
    }
    return false;
  }
}

function startsWith(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}
