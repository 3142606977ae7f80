/**
 * `attachment` with the file name as RFC 6266 wants it: an ASCII form for old clients, and the whole
 * name by RFC 8187. No byte of the name can end the header.
 */
export function attachment(filename: string): string {
  const ascii = filename.replace(/[^\x20-\x7e]/gu, '_').replace(/["\\%]/g, '_');
  const plain = `attachment; filename="${ascii}"`;
  return ascii === filename ? plain : `${plain}; filename*=UTF-8''${encodeExtended(filename)}`;
}

/** RFC 8187 ext-value: encodeURIComponent leaves four characters that are not attr-char. */
function encodeExtended(text: string): string {
  const wellFormed = text.replace(/\p{Cs}/gu, '\uFFFD');
  return encodeURIComponent(wellFormed).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
