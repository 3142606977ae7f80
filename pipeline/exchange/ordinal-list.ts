/** Ascending ordinals as their differences, seven bits a byte, low bits first. */
export function encodeOrdinals(ordinals: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(ordinals.length * 5);
  let at = 0;
  let before = 0;
  for (const ordinal of ordinals) {
    let left = ordinal - before;
    before = ordinal;
    while (left > 0x7f) {
      bytes[at++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    bytes[at++] = left;
  }
  return bytes.slice(0, at);
}

/** Sets the flags of the ordinals of a list; how many there are. */
export function markOrdinals(list: Uint8Array, flags: Uint8Array): number {
  let count = 0;
  let ordinal = 0;
  for (let at = 0; at < list.length; count++) {
    let shift = 0;
    let byte: number;
    do {
      byte = list[at++]!;
      ordinal += (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    flags[ordinal] = 1;
  }
  return count;
}
