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
  for (const { group, texts } of groups) writeGroup(writer, group, texts, states);
  return writer.finish();
}

const encoder = new TextEncoder();

/** One group as a CSV record: the texts of its key, null for NULL, and its measures. */
export function writeGroup(
  writer: ByteWriter,
  group: number,
  texts: readonly (Uint8Array | null)[],
  states: readonly MeasureState[],
): void {
  let first = true;
  for (const text of texts) {
    if (!first) writer.byte(COMMA);
    first = false;
    writeField(writer, text);
  }
  for (const state of states) {
    if (!first) writer.byte(COMMA);
    first = false;
    const text = state.text(group);
    writeField(writer, typeof text === 'string' ? encoder.encode(text) : text);
  }
  writer.byte(LF);
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

function writeField(writer: ByteWriter, text: Uint8Array | null): void {
  if (text === null) return;
  if (text.length === 0) writer.raw(EMPTY_TEXT);
  else if (needsQuotes(text)) writeQuoted(writer, text);
  else writer.raw(text);
}

const EMPTY_TEXT = Uint8Array.of(QUOTE, QUOTE);

function needsQuotes(text: Uint8Array): boolean {
  for (const byte of text) {
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
