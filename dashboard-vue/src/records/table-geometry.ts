/** Where the records and fields of a virtual table lie. All lengths in CSS pixels. */

/** Browsers cannot make a taller element than some 16 to 33 million pixels. */
const HEIGHT_MAX = 12_000_000;
const OVERSCAN_ROWS = 6;

/** Height of the scrolled element; beyond the limit scrolling moves by more than a pixel a pixel. */
export function spacerHeight(rowHeight: number, count: number): number {
  return Math.min(HEIGHT_MAX, rowHeight * count);
}

export interface RowsInView {
  /** Records [start, end). */
  readonly start: number;
  readonly end: number;
  /** Where the record `start` is drawn. */
  readonly top: number;
}

export function rowsInView(
  scrollTop: number,
  viewHeight: number,
  rowHeight: number,
  count: number,
): RowsInView {
  const full = rowHeight * count;
  const spacer = spacerHeight(rowHeight, count);
  const reach = Math.max(1, spacer - viewHeight);
  const position = Math.min(Math.max(0, scrollTop), reach);
  const virtual = full <= spacer ? position : (position / reach) * (full - viewHeight);
  const first = Math.min(count, Math.floor(virtual / rowHeight));
  const start = Math.max(0, first - OVERSCAN_ROWS);
  const end = Math.min(count, first + Math.ceil(viewHeight / rowHeight) + OVERSCAN_ROWS);
  return { start, end, top: position - (virtual - start * rowHeight) };
}

export interface ColumnInView {
  readonly index: number;
  readonly left: number;
  readonly width: number;
}

export function columnsInView(
  widths: readonly number[],
  scrollLeft: number,
  viewWidth: number,
): ColumnInView[] {
  const shown: ColumnInView[] = [];
  let left = 0;
  for (const [index, width] of widths.entries()) {
    if (left > scrollLeft + viewWidth) break;
    if (left + width >= scrollLeft) shown.push({ index, left, width });
    left += width;
  }
  return shown;
}

/** The widths, enlarged alike where together they would leave part of the view empty. */
export function stretchedWidths(widths: readonly number[], viewWidth: number): number[] {
  const total = widths.reduce((sum, width) => sum + width, 0);
  const factor = total > 0 ? Math.max(1, viewWidth / total) : 1;
  const stretched = widths.map((width) => Math.floor(width * factor));
  const rest = viewWidth - stretched.reduce((sum, width) => sum + width, 0);
  const last = stretched.pop();
  return last === undefined ? [] : [...stretched, last + Math.max(0, Math.floor(rest))];
}

/** Width that shows most values of a column, from its name and some of its cells. */
export function columnWidth(name: string, cells: readonly (string | null | undefined)[]): number {
  const lengths = cells.map((cell) => cell?.length ?? 4).sort((a, b) => a - b);
  const usual = lengths[Math.floor(lengths.length * 0.9)] ?? 0;
  return Math.round(Math.min(340, Math.max(84, name.length * 8.4 + 28, usual * 8.3 + 28)));
}
