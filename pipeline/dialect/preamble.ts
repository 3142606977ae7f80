import type { RecordIndex } from '../parsing/record-index.ts';
import { CellShape, cellShape, isTyped } from './cell-shape.ts';
import { fieldCountOf, firstWithFields, usualFieldCount } from './delimiter.ts';

/** Records of the table that must follow a preamble; fewer could be a ragged file. */
const TABLE_RECORDS_MIN = 2;
const PREAMBLE_RECORDS_MAX = 60;
const HASH = 0x23;

/**
 * Records before the table: title lines and notes. They count as such when the table that follows
 * has at least two records of its usual width and each of them has at most half as many fields, or
 * begins with `#`, or fills one cell at most of a record that has the table's width. Behind a first
 * one that does, and before a record that looks like a header, any with fewer fields are. A record
 * with stray quotes is never one: it may be the header, damaged.
 */
export function preambleRecords(bytes: Uint8Array, index: RecordIndex): number {
  const columns = usualFieldCount(index);
  if (columns < 2) return 0;
  let first = firstWithFields(index, columns);
  for (let record = first; record < Math.min(index.recordCount, first + 10); record++) {
    if (columns < 3 || filledFields(index, record) > 1) break;
    if (fieldCountOf(index, record) !== columns) break;
    first = record + 1;
  }
  if (first > PREAMBLE_RECORDS_MAX || first >= index.recordCount) return 0;
  const isHeaded = fieldCountOf(index, 0) <= columns / 2 && isNamesOnly(bytes, index, first);
  for (let record = 0; record < first; record++) {
    const width = fieldCountOf(index, record);
    const isNarrow = width <= columns / 2 || (isHeaded && width < columns);
    const isNote = bytes[index.recordStarts[record]!] === HASH;
    if (index.recordFlags[record] !== 0) return 0;
    if (!isNarrow && !isNote && filledFields(index, record) > 1) return 0;
  }
  let fitting = 0;
  for (let record = first; record < index.recordCount; record++) {
    if (fieldCountOf(index, record) === columns) fitting++;
  }
  const isTable = fitting >= TABLE_RECORDS_MIN && fitting * 2 > index.recordCount - first;
  return isTable ? first : 0;
}

/** Whether `#` starts comments: two records or more have it, and none has the table's width. */
export function hasHashComments(bytes: Uint8Array, index: RecordIndex): boolean {
  const columns = usualFieldCount(index);
  let comments = 0;
  for (let record = 0; record < index.recordCount; record++) {
    if (bytes[index.recordStarts[record]!] !== HASH) continue;
    if (columns < 2 || fieldCountOf(index, record) === columns) return false;
    comments++;
  }
  return comments > 1 && comments * 2 < index.recordCount;
}

function isNamesOnly(bytes: Uint8Array, index: RecordIndex, record: number): boolean {
  for (let field = index.recordFields[record]!; field < index.recordFields[record + 1]!; field++) {
    const shape = cellShape(bytes, index.fieldStarts[field]!, index.fieldEnds[field]!);
    if (shape === CellShape.empty || isTyped(shape)) return false;
  }
  return true;
}

function filledFields(index: RecordIndex, record: number): number {
  let filled = 0;
  for (let field = index.recordFields[record]!; field < index.recordFields[record + 1]!; field++) {
    if (index.fieldEnds[field]! > index.fieldStarts[field]!) filled++;
  }
  return filled;
}
