import { CellShape, isTyped } from './cell-shape.ts';

/** A cell of the sample: its text, and what it looks like. */
export interface SampleCell {
  readonly text: string;
  readonly shape: CellShape;
}

const NAME_CHARS_MAX = 128;

/**
 * Whether the first record names the columns.
 *
 * 1. Each column whose values below all have one telling shape (number, boolean, time, address)
 *    votes: for a header where the first cell is other text, against one where it has that shape.
 *    The majority decides; so empty or repeated names do not hide a header. Years in a row (2020,
 *    2021, ...) are names.
 * 2. Without a majority (tables of text): a header, if every first cell is non-empty, looks like a
 *    name (short text on one line, no number, no date, no line of a log), none repeats, and none recurs
 *    below in its column.
 * 3. A lone record is a header only with two or more cells that all look like names.
 */
export function looksLikeHeader(
  first: readonly SampleCell[],
  below: readonly (readonly SampleCell[])[],
): boolean {
  if (below.length === 0) return first.length > 1 && areNames(first);
  const years = yearColumns(first, below);
  let votes = 0;
  first.forEach((cell, column) => {
    const shape = sharedShape(below, column);
    if (shape === null || cell.shape === CellShape.empty) return;
    if (years.has(column)) votes++;
    else if (cell.shape === shape) votes--;
    else if (!isTyped(cell.shape)) votes++;
  });
  if (votes !== 0) return votes > 0;
  return areNames(first) && !recursBelow(first, below);
}

/** Columns whose first cells count years up or down, next to each other, and whose others do not. */
function yearColumns(
  first: readonly SampleCell[],
  below: readonly (readonly SampleCell[])[],
): ReadonlySet<number> {
  const found = new Set<number>();
  for (let column = 1; column < first.length; column++) {
    const [before, here] = [yearOf(first[column - 1]), yearOf(first[column])];
    if (before === null || here === null || Math.abs(here - before) !== 1) continue;
    found.add(column - 1).add(column);
  }
  const isCounted = (record: readonly SampleCell[]): boolean =>
    [...found].every((column) => yearOf(record[column]) !== null);
  return below.some(isCounted) ? new Set() : found;
}

function yearOf(cell: SampleCell | undefined): number | null {
  return /^(1[89]|20)\d\d$/.test(cell?.text ?? '') ? Number(cell?.text) : null;
}

/** The telling shape that all non-empty cells of a column have, or null. */
function sharedShape(
  records: readonly (readonly SampleCell[])[],
  column: number,
): CellShape | null {
  let shared: CellShape | null = null;
  for (const record of records) {
    const shape = record[column]?.shape ?? CellShape.empty;
    if (shape === CellShape.empty) continue;
    if (!isTyped(shape) || (shared !== null && shared !== shape)) return null;
    shared = shape;
  }
  return shared;
}

function areNames(cells: readonly SampleCell[]): boolean {
  const names = new Set(cells.map((cell) => cell.text));
  return names.size === cells.length && cells.every(isName);
}

function isName({ text, shape }: SampleCell): boolean {
  if (shape === CellShape.empty || isTyped(shape)) return false;
  return text.length <= NAME_CHARS_MAX && !/[\r\n]|^\W?\d{4}-\d\d-\d\d[T ]\d/.test(text);
}

function recursBelow(
  first: readonly SampleCell[],
  below: readonly (readonly SampleCell[])[],
): boolean {
  return below.some((record) =>
    record.some((cell, column) => cell.text !== '' && cell.text === first[column]?.text),
  );
}
