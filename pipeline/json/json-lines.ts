import { jsonParser, type Token } from 'stream-json/core/parser.js';
import { getManyValues, isMany, none } from 'stream-chain/defs.js';
import { SluiceError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { scanValue, skipBlanks } from './value-scanner.ts';

/** Text is given to the parser in slices of this size, so that its tokens stay few. */
const SLICE_BYTES = 64 * 1024;

/**
 * Where the document stands.
 *
 * | mode     | entered by                                          | records are          |
 * | -------- | --------------------------------------------------- | -------------------- |
 * | start    | construction                                        |                      |
 * | array    | a top-level `[`                                     | its elements         |
 * | object   | a top-level `{`                                     | the object, at its end |
 * | member   | in `object`: the first member `[{...`               | that member's elements |
 * | rest     | in `member`: the end of that array                  | none more            |
 */
type Mode = 'start' | 'array' | 'object' | 'member' | 'rest';

/**
 * One JSON document in, its records out as NDJSON text: the elements of a top-level array, the
 * elements of the first member of a top-level object that is an array of objects (GeoJSON's
 * `features`), or the only object or value itself. Numbers keep their digits, objects their order
 * of keys and repeated keys; white space is dropped.
 */
export class JsonLines {
  readonly #parse = jsonParser({ packValues: true, streamValues: false });
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #mode: Mode = 'start';
  #depth = 0;
  #needsComma = false;
  #element = '';
  #lines = '';
  /** The last token opened an array that is a member of the top-level object. */
  #isMemberOpen = false;
  #memberName = '';
  #otherMembers = 0;
  #elements = 0;
  #bytesRead = 0;
  #charsSinceToken = 0;

  /** Reads on. Throws `input-malformed`, or `limit-exceeded` for depth, key and record size. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      let text: string;
      try {
        text = this.#decoder.decode(slice, { stream: true });
      } catch (cause) {
        throw this.#malformed('the text is not UTF-8', null, cause);
      }
      if (text !== '') this.#read(text, slice);
      this.#bytesRead += slice.length;
    }
  }

  /** Ends the document. Throws `input-malformed` where it is not complete. */
  finish(): void {
    try {
      this.#decoder.decode();
    } catch (cause) {
      throw this.#malformed('the text ends inside a character', null, cause);
    }
    this.#read(none, null);
    if (this.#depth > 0 || this.#mode === 'start') {
      if (this.#elements === 0) throw this.#malformed('the document is not complete', null);
    }
  }

  /** Characters of complete lines that wait to be taken. */
  get pendingChars(): number {
    return this.#lines.length;
  }

  /** The complete lines since the last call. */
  take(): Uint8Array {
    const lines = Buffer.from(this.#lines, 'utf8');
    this.#lines = '';
    return lines;
  }

  /** What a reader should know of how the document was taken apart. */
  get warnings(): string[] {
    if (this.#mode !== 'member' && this.#mode !== 'rest') return [];
    const others =
      this.#otherMembers === 0
        ? ''
        : `; ${this.#otherMembers} other array(s) of objects in it are not read`;
    return [
      `The document is one object: the elements of its '${this.#memberName}' are the records${others}.`,
    ];
  }

  #read(text: string | typeof none, slice: Uint8Array | null): void {
    let tokens: readonly Token[];
    try {
      const out: unknown = this.#parse(text as string);
      tokens = isMany(out) ? (getManyValues(out) as Token[]) : [];
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw this.#malformed(why.replace(/^Parser (cannot parse input|has): ?/, ''), slice, cause);
    }
    this.#charsSinceToken += typeof text === 'string' ? text.length : 0;
    if (tokens.length > 0) this.#charsSinceToken = 0;
    for (const token of tokens) this.#take(token);
    if (this.#element.length > LIMITS.recordBytesMax) throw this.#tooLong();
    if (this.#charsSinceToken > LIMITS.recordBytesMax) throw this.#tooLong();
  }

  #take(token: Token): void {
    const wasMemberOpen = this.#isMemberOpen;
    this.#isMemberOpen = false;
    switch (token.name) {
      case 'startObject':
      case 'startArray':
        this.#open(token.name === 'startObject', wasMemberOpen);
        break;
      case 'endObject':
      case 'endArray':
        this.#close(token.name === 'endObject' ? '}' : ']');
        break;
      case 'keyValue':
        this.#key(token.value);
        break;
      case 'stringValue':
        this.#value(JSON.stringify(token.value));
        break;
      case 'numberValue':
        this.#value(token.value);
        break;
      default:
        this.#value(LITERALS[token.name] ?? '');
    }
  }

  #open(isObject: boolean, wasMemberOpen: boolean): void {
    if (this.#mode === 'start') {
      this.#mode = isObject ? 'object' : 'array';
      this.#depth = 1;
      if (isObject) this.#element = '{';
      return;
    }
    if (isObject && wasMemberOpen) {
      if (this.#mode === 'object') {
        this.#mode = 'member';
        this.#element = '';
        this.#needsComma = false;
      } else this.#otherMembers++;
    }
    this.#isMemberOpen = !isObject && this.#depth === 1 && this.#mode !== 'array';
    this.#depth++;
    if (this.#depth > LIMITS.jsonDepthMax + 2) throw this.#tooDeep();
    this.#write(isObject ? '{' : '[');
    this.#needsComma = false;
  }

  #close(bracket: string): void {
    this.#depth--;
    if (this.#mode === 'member' && this.#depth === 1) this.#mode = 'rest';
    else if (this.#mode === 'object' || this.#depth > 0) {
      if (this.#isRecording()) this.#element += bracket;
      this.#needsComma = true;
      this.#endValue();
    }
  }

  #key(name: string): void {
    if (name.length > LIMITS.jsonKeyBytesMax) {
      throw this.#limit('jsonKeyBytesMax', `A key is longer than ${LIMITS.jsonKeyBytesMax} bytes`);
    }
    if (this.#mode === 'object' && this.#depth === 1) this.#memberName = name;
    this.#write(`${JSON.stringify(name)}:`);
    this.#needsComma = false;
  }

  #value(text: string): void {
    if (this.#mode === 'start') {
      this.#lines += `${text}\n`;
      this.#elements++;
      return;
    }
    this.#write(text);
    this.#needsComma = true;
    this.#endValue();
  }

  #write(text: string): void {
    if (this.#isRecording()) this.#element += this.#needsComma ? `,${text}` : text;
  }

  #isRecording(): boolean {
    return this.#mode === 'member' ? this.#depth >= 2 : this.#mode !== 'rest';
  }

  /** Ends the line where the value that just ended is a record. */
  #endValue(): void {
    const recordDepth = RECORD_DEPTH[this.#mode];
    if (this.#depth !== recordDepth) return;
    this.#lines += `${this.#element}\n`;
    this.#element = '';
    this.#needsComma = false;
    this.#elements++;
  }

  #tooDeep(): SluiceError {
    return this.#limit('jsonDepthMax', `The document nests deeper than ${LIMITS.jsonDepthMax}`);
  }

  #tooLong(): SluiceError {
    const what = `Record ${this.#elements + 1} of the document has more than ${LIMITS.recordBytesMax} bytes`;
    const advice =
      'split it, or send one object a line (NDJSON), where it is a reject and the rest is read';
    return this.#limit('recordBytesMax', `${what}: ${advice}`);
  }

  #limit(limit: keyof typeof LIMITS, message: string): SluiceError {
    return new SluiceError('limit-exceeded', message, {
      details: { limit, max: LIMITS[limit], record: this.#elements + 1 },
    });
  }

  /** The exact place is known for the first slice; else where the slice starts. */
  #malformed(why: string, slice: Uint8Array | null, cause?: unknown): SluiceError {
    let byteOffset = this.#bytesRead;
    let line: number | null = null;
    if (slice !== null && this.#bytesRead === 0) {
      byteOffset = faultOffset(slice);
      line = 1 + Buffer.from(slice.subarray(0, byteOffset)).filter((byte) => byte === 10).length;
    }
    const place = line === null ? `at or after byte ${byteOffset}` : `in line ${line}`;
    const message = `The JSON document cannot be read (${place}): ${why}`;
    const details = { byteOffset, ...(line === null ? {} : { line }) };
    return new SluiceError('input-malformed', message, { cause, details });
  }
}

const LITERALS: Readonly<Record<string, string>> = {
  trueValue: 'true',
  falseValue: 'false',
  nullValue: 'null',
};

/** Depth outside of a record, by mode; -1 where no record can end. */
const RECORD_DEPTH: Readonly<Record<Mode, number>> = {
  start: -1,
  array: 1,
  object: 0,
  member: 2,
  rest: -1,
};

function faultOffset(text: Uint8Array): number {
  const hasMark = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf;
  const start = skipBlanks(text, hasMark ? 3 : 0, text.length);
  const end = scanValue(text, start, text.length);
  return end < 0 ? -1 - end : skipBlanks(text, end, text.length);
}
