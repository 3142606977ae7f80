/** Offset in characters of a place given by line and column from 1; the nearest where there is none. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  const at = Math.min(Math.max(1, line), lines.length) - 1;
  const before = lines.slice(0, at).reduce((total, content) => total + content.length + 1, 0);
  return before + Math.min(Math.max(1, column) - 1, lines[at]?.length ?? 0);
}
