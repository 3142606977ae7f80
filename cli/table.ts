/** Text tables for a terminal. */

export interface TableColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const CELL_CHARS_MAX = 40;

/** Aligned by display width of plain text; cells are cut at 40 characters; null shows as NULL. */
export function renderTable(
  columns: readonly TableColumn[],
  records: readonly (readonly (string | null)[])[],
): string {
  const cells = records.map((record) =>
    columns.map((_, index) => shownCell(record[index] ?? null)),
  );
  const widths = columns.map((column, index) =>
    cells.reduce(
      (width, record) => Math.max(width, charsOf(record[index] ?? '')),
      charsOf(column.title),
    ),
  );
  const line = (record: readonly string[]): string =>
    record
      .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align ?? 'left'))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width));
  return [line(columns.map((column) => column.title)), line(rule), ...cells.map(line)].join('\n');
}

function shownCell(cell: string | null): string {
  if (cell === null) return 'NULL';
  const text = [...cell.replaceAll('\r', '\\r').replaceAll('\n', '\\n').replaceAll('\t', '\\t')]
    // Control characters of a file must not reach the terminal.
    .map((char) => (isControl(char) ? '\u{fffd}' : char));
  return text.length <= CELL_CHARS_MAX
    ? text.join('')
    : `${text.slice(0, CELL_CHARS_MAX - 1).join('')}…`;
}

function isControl(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

function charsOf(text: string): number {
  return [...text].length;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - charsOf(text)));
  return align === 'right' ? blanks + text : text + blanks;
}
