/** Numbers in [0, 1): Marsaglia's xorshift with the triple 13, 17, 5 (JSS 8(14), 2003). */
export function xorshift32(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}
