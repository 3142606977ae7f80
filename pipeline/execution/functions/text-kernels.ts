import { createHash } from 'node:crypto';
import { lowered, raised } from '../../values/letter-case.ts';
import type { TextVector, ValueVector, Vector } from '../vectors.ts';
import { perRecord, ValueFault, type Kernel } from './kernel.ts';

const NO_PADDING = new ValueFault('A text cannot be padded with an empty text');
const PADDED_MAX = 16 * 1024 * 1024;
const TOO_LONG = new ValueFault('The padded text would be too long');
const SPACE = 0x20;

/** Functions of text, by signature. Characters are code points. */
export const TEXT_KERNELS: Readonly<Record<string, Kernel>> = {
  '||(any, any)': concat,
  'concat(any)': concat,
  'concat_ws(string, any)': concatWithSeparator,
  'lower(string)': recased(0x41, lowered),
  'upper(string)': recased(0x61, raised),
  'title case(string)': perRecord(titleCase),
  'trim(string)': trimmed(true, true),
  'ltrim(string)': trimmed(true, false),
  'rtrim(string)': trimmed(false, true),
  'trim(string, string)': perRecord((text: string, set: string) => strip(text, set, true, true)),
  'ltrim(string, string)': perRecord((text: string, set: string) => strip(text, set, true, false)),
  'rtrim(string, string)': perRecord((text: string, set: string) => strip(text, set, false, true)),
  'length(string)': length,
  'substr(string, integer)': substr,
  'substr(string, integer, integer)': substr,
  'left(string, integer)': perRecord((text: string, count: number | bigint) =>
    characters(text).slice(0, Number(count)).join(''),
  ),
  'right(string, integer)': perRecord(right),
  'lpad(string, integer, string)': perRecord((text: string, width: number, fill: string) =>
    padded(text, Number(width), fill, true),
  ),
  'rpad(string, integer, string)': perRecord((text: string, width: number, fill: string) =>
    padded(text, Number(width), fill, false),
  ),
  'replace(string, string, string)': perRecord((text: string, find: string, by: string) =>
    find === '' ? text : text.replaceAll(find, () => by),
  ),
  'split_part(string, string, integer)': perRecord(splitPart),
  'split rest(string, string, integer)': perRecord(splitRest),
  'starts_with(string, string)': perRecord((text: string, part: string) => text.startsWith(part)),
  'ends_with(string, string)': perRecord((text: string, part: string) => text.endsWith(part)),
  'contains(string, string)': perRecord((text: string, part: string) => text.includes(part)),
  'position(string, string)': perRecord((text: string, part: string) => {
    const at = text.indexOf(part);
    return at < 0 ? 0 : countCharacters(text.slice(0, at)) + 1;
  }),
  'reverse(string)': perRecord(reversed),
  'md5(string)': perRecord((text: string) => createHash('md5').update(text).digest('hex')),
  'sha256(string)': perRecord((text: string) => createHash('sha256').update(text).digest('hex')),
  'mask(string, integer)': perRecord(mask),
};

/** All texts that are not NULL, one behind the other. */
function concat(args: readonly Vector[], records: Uint32Array, count: number, out: Vector): void {
  const target = out as TextVector;
  for (let i = 0; i < count; i++) {
    const record = records[i]!;
    let end = target.arenaLength;
    for (const arg of args as TextVector[]) end = append(target, end, arg, record);
    target.close(record, end);
  }
}

function concatWithSeparator(
  args: readonly Vector[],
  records: Uint32Array,
  count: number,
  out: Vector,
): void {
  const target = out as TextVector;
  const [separator, ...texts] = args as [TextVector, ...TextVector[]];
  for (let i = 0; i < count; i++) {
    const record = records[i]!;
    let end = target.arenaLength;
    let isFirst = true;
    if (separator.valid[record] === 0) {
      target.valid[record] = 0;
      continue;
    }
    for (const text of texts) {
      if (text.valid[record] === 0) continue;
      if (!isFirst) end = append(target, end, separator, record);
      end = append(target, end, text, record);
      isFirst = false;
    }
    target.close(record, end);
  }
}

/** Writes a text at `end` of the arena, behind what is not closed yet. */
function append(target: TextVector, end: number, text: TextVector, record: number): number {
  if (text.valid[record] === 0) return end;
  const start = text.starts[record]!;
  const size = text.ends[record]! - start;
  const arena = target.open(end - target.arenaLength + size);
  const bytes = text.bytesOf(record);
  for (let i = 0; i < size; i++) arena[end + i] = bytes[start + i]!;
  return end + size;
}

/** ASCII letters from `first` on change their case; texts with others go through `whole`. */
function recased(first: number, whole: (text: string) => string): Kernel {
  return (args, records, count, out) => {
    const text = args[0] as TextVector;
    const target = out as TextVector;
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      const bytes = text.bytesOf(record);
      const start = text.starts[record]!;
      const end = text.ends[record]!;
      const arena = target.open(end - start);
      let at = target.arenaLength;
      let seen = 0;
      for (let from = start; from < end; from++) {
        const byte = bytes[from]!;
        seen |= byte;
        arena[at++] = byte >= first && byte < first + 26 ? byte ^ 0x20 : byte;
      }
      if (seen < 0x80) target.close(record, at);
      else target.set(record, whole(text.textAt(record)));
    }
  };
}

/** Words begin behind anything but a letter, a digit or an apostrophe. */
function titleCase(text: string): string {
  return lowered(text).replace(/(?<![\p{L}\p{N}\p{M}'’])\p{L}/gu, (letter) => raised(letter));
}

/** Blanks go: U+0020 alone, as in DuckDB. */
function trimmed(left: boolean, right: boolean): Kernel {
  return (args, records, count, out) => {
    const text = args[0] as TextVector;
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      const bytes = text.bytesOf(record);
      let start = text.starts[record]!;
      let end = text.ends[record]!;
      while (left && start < end && bytes[start] === SPACE) start++;
      while (right && start < end && bytes[end - 1] === SPACE) end--;
      (out as TextVector).slice(record, text, start, end);
    }
  };
}

function strip(text: string, set: string, left: boolean, right: boolean): string {
  const list = characters(text);
  const stripped = new Set(set);
  let start = 0;
  let end = list.length;
  while (left && start < end && stripped.has(list[start]!)) start++;
  while (right && start < end && stripped.has(list[end - 1]!)) end--;
  return list.slice(start, end).join('');
}

function length(args: readonly Vector[], records: Uint32Array, count: number, out: Vector): void {
  const text = args[0] as TextVector;
  const { values, valid } = out as ValueVector;
  for (let i = 0; i < count; i++) {
    const record = records[i]!;
    const bytes = text.bytesOf(record);
    const end = text.ends[record]!;
    let characterCount = 0;
    for (let at = text.starts[record]!; at < end; at++) {
      if ((bytes[at]! & 0xc0) !== 0x80) characterCount++;
    }
    valid[record] = 1;
    values[record] = characterCount;
  }
}

function substr(args: readonly Vector[], records: Uint32Array, count: number, out: Vector): void {
  const text = args[0] as TextVector;
  const from = args[1] as ValueVector;
  const lengths = args[2] as ValueVector | undefined;
  const target = out as TextVector;
  for (let i = 0; i < count; i++) {
    const record = records[i]!;
    const bytes = text.bytesOf(record);
    const textStart = text.starts[record]!;
    const textEnd = text.ends[record]!;
    const isAscii = isAsciiSlice(bytes, textStart, textEnd);
    const size = isAscii ? textEnd - textStart : countCharacters(text.textAt(record));
    const [start, end] = window(size, from.values[record]!, lengths?.values[record] ?? Infinity);
    if (isAscii) target.slice(record, text, textStart + start, textStart + end);
    else target.set(record, characters(text.textAt(record)).slice(start, end).join(''));
  }
}

/** DuckDB's: from 1, from the end when negative; a negative length goes to the left. */
function window(size: number, offset: number, wanted: number): [number, number] {
  const start = offset > 0 ? offset - 1 : offset < 0 ? size + offset : -1;
  const [from, to] = wanted < 0 ? [start + wanted, start] : [start, start + wanted];
  const end = Math.max(0, Math.min(size, to));
  return [Math.max(0, Math.min(end, from)), end];
}

function isAsciiSlice(bytes: Uint8Array, start: number, end: number): boolean {
  let seen = 0;
  for (let i = start; i < end; i++) seen |= bytes[i]!;
  return seen < 0x80;
}

function right(text: string, count: number | bigint): string {
  const list = characters(text);
  const wanted = Number(count);
  return list.slice(wanted >= 0 ? Math.max(0, list.length - wanted) : -wanted).join('');
}

/** Cut or filled to so many characters. */
function padded(text: string, width: number, fill: string, left: boolean): string | ValueFault {
  const list = characters(text);
  if (width <= list.length) return list.slice(0, Math.max(0, width)).join('');
  if (fill === '') return NO_PADDING;
  if (width > PADDED_MAX) return TOO_LONG;
  const missing = width - list.length;
  const fills = characters(fill);
  const whole = fill.repeat(Math.floor(missing / fills.length));
  const padding = whole + fills.slice(0, missing % fills.length).join('');
  return left ? padding + text : text + padding;
}

/** From 1, from the end when negative; an empty text where there is none. */
function splitPart(text: string, by: string, position: number | bigint): string {
  const parts = by === '' ? [text] : text.split(by);
  const at = Number(position);
  return (at > 0 ? parts[at - 1] : at < 0 ? parts.at(at) : '') ?? '';
}

/** From the part at `position` to the end; NULL where there is none. */
function splitRest(text: string, by: string, position: number): string | null {
  const parts = text.split(by);
  return position > parts.length ? null : parts.slice(position - 1).join(by);
}

/** Characters as people see them keep their parts in order. */
function reversed(text: string): string {
  let result = '';
  if (/^[\x20-\x7e]*$/.test(text)) {
    for (let i = text.length - 1; i >= 0; i--) result += text[i]!;
    return result;
  }
  const graphemes = [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)];
  return graphemes.map(({ segment }) => segment).reverse().join(''); // prettier-ignore
}

/** Stars for all but the last so many characters. */
function mask(text: string, keep: number): string {
  const list = characters(text);
  const hidden = Math.max(0, list.length - keep);
  return '*'.repeat(hidden) + list.slice(hidden).join('');
}

function characters(text: string): string[] {
  return [...text];
}

function countCharacters(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xdc00 || unit > 0xdfff) count++;
  }
  return count;
}
