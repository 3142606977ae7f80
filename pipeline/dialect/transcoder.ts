import { SluiceError } from '../errors.ts';

/** Encodings of one byte a character: transcoded by table. */
const SINGLE_BYTE =
  /^(windows-(125\d|874)|iso-8859-\d+(-i)?|koi8-[ru]|macintosh|x-mac-cyrillic|ibm866)$/;

/**
 * Bytes of any encoding in, UTF-8 without a byte-order mark out, split anywhere. UTF-8 passes
 * through untouched and uncopied: its invalid bytes are for the record reader to reject.
 * Throws `input-encoding` where bytes are not in the encoding.
 */
export class Transcoder {
  private readonly decode: Decoding;

  /** @param encoding a WHATWG name, as `detectEncoding` gives it */
  constructor(encoding: string) {
    if (encoding === 'utf-8') this.decode = utf8Passing();
    else if (SINGLE_BYTE.test(encoding)) this.decode = singleByteDecoding(encoding);
    else this.decode = multiByteDecoding(encoding);
  }

  push(bytes: Uint8Array): Uint8Array {
    return this.decode(bytes, false);
  }

  /** What was held back. Throws when the input ends inside a character. */
  finish(): Uint8Array {
    return this.decode(EMPTY, true);
  }
}

type Decoding = (bytes: Uint8Array, last: boolean) => Uint8Array;

const EMPTY = new Uint8Array(0);
const UTF8_MARK = [0xef, 0xbb, 0xbf];

/**
 * Bytes 0x80 to 0x9f, which Node 20's decoder takes for control characters. WHATWG maps the five
 * that Microsoft left out to themselves.
 */
const WINDOWS_1252_C1 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** Drops a mark at the start, even one split over pushes. */
function utf8Passing(): Decoding {
  let matched = 0;
  let started = false;
  return (bytes, last) => {
    if (started) return bytes;
    let i = 0;
    while (i < bytes.length && matched < 3 && bytes[i] === UTF8_MARK[matched]) {
      i++;
      matched++;
    }
    if (matched === 3) {
      started = true;
      return bytes.subarray(i);
    }
    if (i === bytes.length && !last) return EMPTY;
    started = true;
    const held = matched - i;
    return held === 0 ? bytes : Buffer.concat([Uint8Array.from(UTF8_MARK.slice(0, held)), bytes]);
  };
}

function singleByteDecoding(encoding: string): Decoding {
  const decoder = new TextDecoder(encoding);
  const encoder = new TextEncoder();
  const lengths = new Uint8Array(256);
  const codes = new Uint8Array(256 * 3);
  for (let byte = 0; byte < 256; byte++) {
    const isC1 = encoding === 'windows-1252' && byte >= 0x80 && byte < 0xa0;
    const text = isC1 ? WINDOWS_1252_C1[byte - 0x80]! : decoder.decode(Uint8Array.of(byte));
    if (text === '\uFFFD') continue;
    const utf8 = encoder.encode(text);
    lengths[byte] = utf8.length;
    codes.set(utf8, byte * 3);
  }
  let bytesBefore = 0;
  return (bytes) => {
    let length = 0;
    for (let i = 0; i < bytes.length; i++) {
      const width = lengths[bytes[i]!]!;
      if (width === 0) throw notInEncoding(encoding, bytesBefore + i);
      length += width;
    }
    const out = new Uint8Array(length);
    for (let i = 0, o = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      const width = lengths[byte]!;
      for (let k = 0; k < width; k++) out[o++] = codes[byte * 3 + k]!;
    }
    bytesBefore += bytes.length;
    return out;
  };
}

function multiByteDecoding(encoding: string): Decoding {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const encoder = new TextEncoder();
  let bytesBefore = 0;
  return (bytes, last) => {
    let text: string;
    try {
      text = decoder.decode(bytes, { stream: !last });
    } catch (cause) {
      throw notInEncoding(encoding, bytesBefore, cause);
    }
    bytesBefore += bytes.length;
    return encoder.encode(text);
  };
}

function notInEncoding(encoding: string, byteOffset: number, cause?: unknown): SluiceError {
  const message = `The input is not ${encoding} at or after byte ${byteOffset}`;
  return new SluiceError('input-encoding', message, { cause, details: { encoding, byteOffset } });
}
