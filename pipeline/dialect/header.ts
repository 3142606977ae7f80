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
 *    The majority decides; so empty or repeated names do not hide a header.
 * 2. Without a majority (tables of text): a header, if every first cell is non-empty, looks like a
 *    name (short text on one line, no number or date), none repeats, and none recurs below in its
 *    column.
 * 3. A lone record is a header only with two or more cells that all look like names.
 */
export function looksLikeHeader(
  first: readonly SampleCell[],
  below: readonly (readonly SampleCell[])[],
): boolean {
  if (below.length === 0) return first.length > 1 && areNames(first);
  let votes = 0;
  first.forEach((cell, column) => {
    const shape = sharedShape(below, column);
    if (shape === null || cell.shape === CellShape.empty) return;
    if (cell.shape === shape) votes--;
    else if (!isTyped(cell.shape)) votes++;
  });
  if (votes !== 0) return votes > 0;
  return areNames(first) && !recursBelow(first, below);
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
  return text.length <= NAME_CHARS_MAX && !text.includes('\n') && !text.includes('\r');
}

function recursBelow(
  first: readonly SampleCell[],
  below: readonly (readonly SampleCell[])[],
): boolean {
  return below.some((record) =>
    record.some((cell, column) => cell.text !== '' && cell.text === first[column]?.text),
  );
}
