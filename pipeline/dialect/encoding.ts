import { isUtf8 } from 'node:buffer';
import { SluiceError } from '../errors.ts';
import { refuseBinary, refuseControls } from './binary-formats.ts';
import { multiByteEncoding } from './multi-byte.ts';

export interface DetectedEncoding {
  /** A WHATWG name such as 'utf-8', 'utf-16le', 'windows-1252'. */
  readonly encoding: string;
  readonly warnings: readonly string[];
}

/** Names people use that WHATWG does not know; the key is lower case, without `-`, `_` and blanks. */
const ALIASES: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  utf8sig: 'utf-8',
  utf8bom: 'utf-8',
  ascii: 'utf-8',
  usascii: 'utf-8',
  utf16: 'utf-16le',
  ucs2: 'utf-16le',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
  latin1: 'windows-1252',
  l1: 'windows-1252',
  iso88591: 'windows-1252',
  cp1252: 'windows-1252',
  windows1252: 'windows-1252',
  ansi: 'windows-1252',
  latin2: 'iso-8859-2',
  latin9: 'iso-8859-15',
  cp932: 'shift_jis',
  sjis: 'shift_jis',
  shiftjis: 'shift_jis',
  cp936: 'gbk',
  cp949: 'euc-kr',
  cp950: 'big5',
  macroman: 'macintosh',
};

const KNOWN =
  'utf-8, utf-16, utf-16le, utf-16be, latin-1, windows-1250 to windows-1258, iso-8859-2 to ' +
  'iso-8859-16, koi8-r, koi8-u, macintosh, ibm866, shift_jis, euc-jp, gbk, gb18030, big5, euc-kr';

/** Bytes looked at for the NULs of UTF-16. */
const NUL_WINDOW_BYTES = 4096;
/** ASCII-heavy UTF-16 has a NUL in nearly every second byte; text in 8 bits has none. */
const NUL_SHARE_MIN = 0.4;
/** Text has control characters as delimiters at most; random bytes have some 10 % of them. */
const CONTROL_SHARE_MAX = 0.3;
const CONTROL_SHARE_MAX_8_BIT = 0.03;

/**
 * Encoding of the input. A byte-order mark wins; then what is stated; then UTF-16 by its NULs, UTF-8
 * where the sample is valid, a Chinese, Japanese or Korean encoding by its pairs of bytes, else
 * windows-1252, both with a warning. `ascii` is read as UTF-8, of which it is a part, and ISO-8859-1 as
 * windows-1252, as WHATWG does. Throws `input-encoding`, and `input-format` where the bytes are no text
 * at all.
 */
export function detectEncoding(
  sample: Uint8Array,
  complete: boolean,
  stated = 'auto',
): DetectedEncoding {
  refuseBinary(sample);
  const wanted = stated === 'auto' ? null : encodingOf(stated);
  const marked = encodingOfMark(sample);
  if (marked !== null) {
    const differs = wanted !== null && wanted !== marked;
    const warnings = differs
      ? [`The input starts with a byte-order mark of ${marked}, so it is not read as ${stated}.`]
      : [];
    return { encoding: marked, warnings };
  }
  if (wanted !== null) return { encoding: wanted, warnings: [] };
  const wide = wideEncodingByNuls(sample);
  if (wide !== null) {
    const warning = `There is no byte-order mark; by its NUL bytes the input is read as ${wide}.`;
    return { encoding: wide, warnings: [warning] };
  }
  if (isUtf8(complete ? sample : withoutCutSequence(sample))) {
    refuseControls(sample, CONTROL_SHARE_MAX);
    return { encoding: 'utf-8', warnings: [] };
  }
  refuseControls(sample, CONTROL_SHARE_MAX_8_BIT);
  const encoding = multiByteEncoding(sample) ?? 'windows-1252';
  const warning =
    `The input is not UTF-8 and is read as ${encoding}. State read.encoding if it is another, ` +
    'such as windows-1251 or iso-8859-2.';
  return { encoding, warnings: [warning] };
}

/** WHATWG name of a stated encoding. Throws `input-encoding` with what is known. */
export function encodingOf(label: string): string {
  const lower = label.trim().toLowerCase();
  const alias = Object.hasOwn(ALIASES, lower.replace(/[-_ ]/g, ''))
    ? ALIASES[lower.replace(/[-_ ]/g, '')]
    : undefined;
  if (alias !== undefined) return alias;
  for (const candidate of [lower, lower.replaceAll('_', '-')]) {
    try {
      return new TextDecoder(candidate, { fatal: true }).encoding;
    } catch {
      continue;
    }
  }
  throw new SluiceError('input-encoding', `Unknown encoding '${label}'. Known are: ${KNOWN}.`, {
    details: { encoding: label },
  });
}

function encodingOfMark(bytes: Uint8Array): string | null {
  const [a, b, c, d] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  const isWide32 =
    (a === 0xff && b === 0xfe && c === 0 && d === 0) ||
    (a === 0 && b === 0 && c === 0xfe && d === 0xff);
  if (isWide32) {
    throw new SluiceError('input-encoding', 'UTF-32 is not read. Save the file as UTF-8.', {
      details: { encoding: 'utf-32' },
    });
  }
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  return null;
}

function wideEncodingByNuls(sample: Uint8Array): string | null {
  const length = Math.min(sample.length, NUL_WINDOW_BYTES) & ~1;
  if (length < 4) return null;
  let even = 0;
  let odd = 0;
  for (let i = 0; i < length; i += 2) {
    if (sample[i] === 0) even++;
    if (sample[i + 1] === 0) odd++;
  }
  const pairs = length / 2;
  if (odd / pairs >= NUL_SHARE_MIN && even / pairs < 0.1) return 'utf-16le';
  if (even / pairs >= NUL_SHARE_MIN && odd / pairs < 0.1) return 'utf-16be';
  return null;
}

/** The sample without a multi-byte sequence that its cut end leaves incomplete. */
function withoutCutSequence(sample: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, sample.length); back++) {
    const byte = sample[sample.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? sample.subarray(0, sample.length - back) : sample;
  }
  return sample;
}
