/**
 * Whether a spreadsheet may take a cell for a formula: it starts with = + - @, a tab or a line end,
 * or the full-width form of such a character (OWASP, CSV Injection). Numbers with a sign count too.
 */
export function isFormula(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return false;
  switch (bytes[start]) {
    case 0x3d: // =
    case 0x2b: // +
    case 0x2d: // -
    case 0x40: // @
    case 0x09:
    case 0x0a:
    case 0x0d:
      return true;
    case 0xef:
      return isFullWidth(bytes, start, end);
    default:
      return false;
  }
}

/** U+FF1D, U+FF0B, U+FF0D, U+FF20. */
function isFullWidth(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 3 || bytes[start + 1] !== 0xbc) return false;
  const last = bytes[start + 2];
  return last === 0x9d || last === 0x8b || last === 0x8d || last === 0xa0;
}
