import { scanValue } from './value-scanner.ts';

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const QUOTE = 0x22;
const LF = 10;
/** Lines looked at for one object each. */
const LINES_MAX = 50;

/**
 * Format of a text by its beginning: `ndjson` when several lines hold one object each, or all one array
 * (which are rejected, and are no table), `json` for an array or one object, else `csv`. What only begins like JSON is `json` too where a table cannot
 * begin so (`{"` or `[{`), so that a damaged file is reported as such and not read as a table.
 */
export function detectFormat(sample: Uint8Array, complete: boolean): 'csv' | 'ndjson' | 'json' {
  const start = nextNonBlank(sample, 0);
  const first = sample[start];
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return 'csv';
  if (isValuePerLine(sample, complete, first)) return 'ndjson';
  const second = sample[nextNonBlank(sample, start + 1)];
  if (first === OPEN_BRACE) return second === QUOTE || second === 0x7d ? 'json' : 'csv';
  if (second === OPEN_BRACE || second === 0x5d) return 'json';
  return isDocument(sample, complete) ? 'json' : 'csv';
}

/** As `detectFormat`, of an input that was called delimited text: JSON that is damaged stays text. */
export function detectSoundFormat(
  sample: Uint8Array,
  complete: boolean,
): 'csv' | 'ndjson' | 'json' {
  const format = detectFormat(sample, complete);
  return format === 'json' && !isDocument(sample, complete) ? 'csv' : format;
}

/** Whether the text is one JSON value, as far as it goes. */
function isDocument(sample: Uint8Array, complete: boolean): boolean {
  const scanned = scanValue(sample, nextNonBlank(sample, 0), sample.length);
  const isCut = scanned < 0 && !complete && -1 - scanned >= sample.length;
  return isCut || (scanned >= 0 && nextNonBlank(sample, scanned) === sample.length);
}

/** Whether each line is a value that begins with `open`; some objects among others are enough. */
function isValuePerLine(sample: Uint8Array, complete: boolean, open: number): boolean {
  let values = 0;
  let others = 0;
  let at = 0;
  for (let line = 0; line < LINES_MAX && at < sample.length; line++) {
    const found = sample.indexOf(LF, at);
    if (found < 0 && !complete) break;
    const end = found < 0 ? sample.length : found;
    const start = nextNonBlank(sample, at);
    if (start < end) {
      const after = sample[start] === open ? scanValue(sample, start, end) : -1;
      if (after >= 0 && nextNonBlank(sample, after) >= end) values++;
      else others++;
    }
    at = end + 1;
  }
  if (values === 0) return false;
  if (open === OPEN_BRACKET) return values > 1 && others === 0;
  const isMore = nextNonBlank(sample, at) < sample.length || others > 0;
  return values > 1 || isMore;
}

/** Offset of the next byte that is no JSON white space, or the length. */
function nextNonBlank(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at]!;
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) break;
    at++;
  }
  return at;
}
