import { hexValue } from '../json/value-scanner.ts';
import { ValueKind, valueKind } from '../values/value-kind.ts';

/**
 * What a cell looks like to a person: wider than `ValueKind`, since it only weighs one reading of a
 * sample against another. Order matters: from `number` on a shape says something about its column.
 */
export const CellShape = {
  empty: 0,
  /** Holds a character that separates or quotes elsewhere: a sign of a wrong reading. */
  unclean: 1,
  text: 2,
  number: 3,
  boolean: 4,
  time: 5,
  address: 6,
} as const;
export type CellShape = (typeof CellShape)[keyof typeof CellShape];

/** A longer cell is text without a closer look. */
const SHAPED_BYTES_MAX = 64;

/** Characters by what they mean for a cell's shape. */
const Letter = { other: 0, digit: 1, sign: 2, timeMark: 3, blank: 4, currency: 5, unclean: 6 };
const LETTERS = letterTable();
/** Scratch of `looseShape`: how often each letter occurs, up to 255. */
const COUNTS = new Uint8Array(7);

function letterTable(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (text: string, letter: number): void => {
    for (const character of text) table[character.charCodeAt(0)] = letter;
  };
  mark('0123456789', Letter.digit);
  mark('.-+', Letter.sign);
  mark(':/', Letter.timeMark);
  mark(' ', Letter.blank);
  mark('$%', Letter.currency);
  mark(',;\t|^~"\x1e\x1f', Letter.unclean);
  return table;
}

/** Shape of the unquoted text `bytes[start, end)`; blanks around it do not count. */
export function cellShape(bytes: Uint8Array, start: number, end: number): CellShape {
  let from = start;
  let to = end;
  while (from < to && bytes[from] === 0x20) from++;
  while (to > from && bytes[to - 1] === 0x20) to--;
  if (from === to) return CellShape.empty;
  if (to - from <= SHAPED_BYTES_MAX && bytes[from]! < 0x80) {
    switch (valueKind(bytes, from, to)) {
      case ValueKind.integer:
      case ValueKind.number:
        return CellShape.number;
      case ValueKind.boolean:
        return CellShape.boolean;
      case ValueKind.date:
      case ValueKind.datetime:
        return CellShape.time;
      default:
        break;
    }
  }
  return looseShape(bytes, from, to);
}

/** Whether the shape tells a value from a name. */
export function isTyped(shape: CellShape): boolean {
  return shape >= CellShape.number;
}

function looseShape(bytes: Uint8Array, from: number, to: number): CellShape {
  const counts = COUNTS.fill(0);
  let commas = 0;
  let dots = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    const letter = LETTERS[byte]!;
    // Before a blank they are marks of prose.
    if ((byte === 0x2c || byte === 0x3b) && bytes[i + 1] === 0x20 && i + 1 < to) {
      counts[Letter.other] = 1;
      continue;
    }
    if (byte === 0x2c) commas++;
    else if (letter === Letter.unclean) return CellShape.unclean;
    else if (counts[letter]! < 255) counts[letter]!++;
    if (byte === 0x2e) dots++;
  }
  const first = bytes[from]!;
  if (first === 0x27) return CellShape.unclean;
  if (counts[Letter.other] === 0 && counts[Letter.digit]! > 0) {
    const shape = figureShape(counts, commas, dots);
    if (shape !== null) return shape;
  }
  if (commas > 0) return CellShape.unclean;
  return isAddress(bytes, from, to) ? CellShape.address : CellShape.text;
}

/** Digits with signs: prices, decimal commas, clock times, dates with slashes or dots, IPv4. */
function figureShape(counts: Uint8Array, commas: number, dots: number): CellShape | null {
  const isTime = counts[Letter.timeMark]! > 0;
  if (isTime) return commas === 0 && counts[Letter.currency] === 0 ? CellShape.time : null;
  if (dots === 3 && commas === 0) return CellShape.address;
  if (counts[Letter.blank] === 0 && commas <= 1 && counts[Letter.sign]! <= 2) {
    return dots === 2 && commas === 0 ? CellShape.time : CellShape.number;
  }
  return null;
}

/** `name@host.tld`, a URL or a UUID. */
function isAddress(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from === UUID_BYTES && isUuid(bytes, from)) return true;
  const at = bytes.subarray(from, to).indexOf(0x40);
  if (at > 0 && bytes.subarray(from + at + 1, to).includes(0x40)) return false;
  if (at > 0) return bytes.indexOf(0x2e, from + at) < to && bytes.indexOf(0x2e, from + at) > 0;
  const isScheme = bytes[from] === 0x68 && bytes[from + 1] === 0x74 && bytes[from + 2] === 0x74;
  return isScheme && bytes[from + 3] === 0x70;
}

const UUID_BYTES = 36;

function isUuid(bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < UUID_BYTES; i++) {
    const byte = bytes[from + i]!;
    const isDash = i === 8 || i === 13 || i === 18 || i === 23;
    if (isDash ? byte !== 0x2d : hexValue(byte) < 0) return false;
  }
  return true;
}
