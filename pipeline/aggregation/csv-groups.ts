import type { ColumnType } from '../protocol/job.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { parseDouble, parseInteger } from '../values/number.ts';
import type { GroupTable } from './group-table.ts';
import { decodeKey } from './key-encoder.ts';
import type { MeasureState } from './measure-state.ts';
import type { AggregateShape } from './shape.ts';

const COMMA = 0x2c;
const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** A group with its key decoded for sorting: numbers by value, the rest by the canonical bytes. */
interface SortedGroup {
  readonly group: number;
  readonly texts: readonly (Uint8Array | null)[];
  readonly values: readonly (number | bigint | null)[];
}

/** The groups as CSV records, sorted by key. */
export function encodeGroups(
  shape: AggregateShape,
  table: GroupTable,
  states: readonly MeasureState[],
): Uint8Array {
  const groups = Array.from({ length: table.count }, (_, group) => sortable(shape, table, group));
  groups.sort(compareGroups);
  const writer = new ByteWriter();
  const columnCount = shape.keyTypes.length;
  for (const { group } of groups) writeGroup(writer, group, table.key(group), columnCount, states);
  return writer.finish();
}

/** One group as a CSV record: the texts of its key, and its measures. */
export function writeGroup(
  writer: ByteWriter,
  group: number,
  key: Uint8Array,
  columnCount: number,
  states: readonly MeasureState[],
): void {
  let at = 0;
  for (let column = 0; column < columnCount; column++) {
    if (column > 0) writer.byte(COMMA);
    let tag = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = key[at++]!;
      tag |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    if (tag === 0) continue;
    writeField(writer, key, at, at + tag - 1);
    at += tag - 1;
  }
  for (let s = 0; s < states.length; s++) {
    if (s > 0 || columnCount > 0) writer.byte(COMMA);
    const text = states[s]!.text(group);
    if (text === null) continue;
    if (typeof text !== 'string') writeField(writer, text, 0, text.length);
    else if (text === '' || SPECIAL.test(text)) writeText(writer, text);
    else writer.characters(text);
  }
  writer.byte(LF);
}

const SPECIAL = /[,"\r\n]/;

function writeText(writer: ByteWriter, text: string): void {
  const bytes = new TextEncoder().encode(text);
  writeField(writer, bytes, 0, bytes.length);
}

function sortable(shape: AggregateShape, table: GroupTable, group: number): SortedGroup {
  const texts = decodeKey(table.key(group), shape.keyTypes.length);
  return { group, texts, values: texts.map((text, i) => orderValue(text, shape.keyTypes[i]!)) };
}

/** Canonical dates, timestamps and booleans sort by their bytes as by their values. */
function orderValue(text: Uint8Array | null, type: ColumnType): number | bigint | null {
  if (text === null) return null;
  if (type === 'integer') return parseInteger(text, 0, text.length);
  return type === 'number' ? parseDouble(text, 0, text.length) : null;
}

function compareGroups(left: SortedGroup, right: SortedGroup): number {
  for (let i = 0; i < left.texts.length; i++) {
    const leftText = left.texts[i]!;
    const rightText = right.texts[i]!;
    if (leftText === null || rightText === null) {
      if (leftText !== rightText) return leftText === null ? 1 : -1;
      continue;
    }
    const leftValue = left.values[i]!;
    const rightValue = right.values[i]!;
    if (leftValue !== null && rightValue !== null) {
      if (leftValue < rightValue) return -1;
      if (leftValue > rightValue) return 1;
      continue;
    }
    const order = Buffer.compare(leftText, rightText);
    if (order !== 0) return order;
  }
  return 0;
}

function writeField(writer: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  if (start === end) writer.raw(EMPTY_TEXT);
  else if (needsQuotes(bytes, start, end)) writeQuoted(writer, bytes.subarray(start, end));
  else writer.slice(bytes, start, end);
}

const EMPTY_TEXT = Uint8Array.of(QUOTE, QUOTE);

function needsQuotes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === COMMA || byte === QUOTE || byte === LF || byte === CR) return true;
  }
  return false;
}

function writeQuoted(writer: ByteWriter, text: Uint8Array): void {
  writer.byte(QUOTE);
  for (const byte of text) {
    if (byte === QUOTE) writer.byte(QUOTE);
    writer.byte(byte);
  }
  writer.byte(QUOTE);
}
