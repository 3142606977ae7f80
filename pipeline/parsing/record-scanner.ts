import type { Dialect } from './dialect.ts';
import { RecordMachine, State, UnitKind } from './record-machine.ts';
import { ByteClass, byteClasses, matchesAt, newlineAt, syntaxOf } from './syntax.ts';
import type { Syntax } from './syntax.ts';

/** Ends of records in a stream of bytes, found a buffer at a time; see `RecordScanner`. */
export interface RecordEnds {
  readonly endCount: number;
  readonly ends: Uint32Array;
  readonly endLines: Float64Array;
  /** Last end before these that was left out because it decides nothing, or -1; and its line. */
  readonly passedEnd: number;
  readonly passedLine: number;
  /** Whether the same bytes may hold more. */
  readonly isFull: boolean;
  scan(
    bytes: Uint8Array,
    from: number,
    to: number,
    isFinal: boolean,
    chunk: OpenChunk | null,
  ): number;
}

/** Offsets, in the buffer of the call, of the chunk being cut and of its open record. */
export interface OpenChunk {
  readonly start: number;
  readonly recordStart: number;
}

/** Ends handed out by one call at most: bounds the scanner's memory. */
const ENDS_MAX = 4096;
const LF = 10;
const CR = 13;
const NONE = -1;

/**
 * Finds the ends of records, blank lines and comment lines in a stream of bytes, and nothing else.
 * Its state between calls is constant in size: a record of any length passes through. It ends a
 * record exactly where `Tokenizer` does. States are those of `RecordMachine`; here the simple
 * dialects are read by leaps from line end to line end while there are no
 * quotes.
 */
export class RecordScanner implements RecordEnds {
  readonly #syntax: Syntax;
  readonly #machine: RecordMachine;
  /** Delimiters are other bytes here: one matters only before a quote. */
  readonly #classes: Uint8Array;
  readonly #quote: number;
  readonly #delimiter: number;
  readonly #lineFeed: number;
  readonly #carriageReturn: number;
  #state: number = State.recordStart;
  /** Whether the last record had quotes: the next one will, so it is not worth looking for one. */
  #isDense = false;
  #lines = 0;
  /** The bytes of the call, up to its end, and the next occurrences in them. */
  #bytes: Buffer = Buffer.alloc(0);
  #isFinal = false;
  #nextQuote = 0;
  #nextLineFeed = 0;
  #nextCarriageReturn = 0;

  /** What the last call found: valid up to `endCount`. */
  endCount = 0;
  /** It leaves none out. */
  readonly passedEnd = NONE;
  readonly passedLine = 0;
  /** One past a unit, its line end included; an offset in the buffer of the call. */
  readonly ends = new Uint32Array(ENDS_MAX);
  /** Line ends from the stream's start up to there. */
  readonly endLines = new Float64Array(ENDS_MAX);
  /** `UnitKind` of what ended there. */
  readonly endKinds = new Uint8Array(ENDS_MAX);

  constructor(dialect: Dialect) {
    const syntax = syntaxOf(dialect);
    this.#syntax = syntax;
    this.#machine = new RecordMachine(syntax);
    this.#classes = byteClasses(syntax, false);
    this.#quote = syntax.quote[0] ?? NONE;
    this.#delimiter = syntax.delimiter[0] ?? NONE;
    this.#lineFeed = syntax.newline[0] ?? LF;
    this.#carriageReturn = syntax.newline.length === 0 ? CR : NONE;
  }

  /** `State` behind the last byte read. In the simple dialects the whole state, with `lines`. */
  get state(): number {
    return this.#state;
  }

  /** Line ends read. */
  get lines(): number {
    return this.#lines;
  }

  /** Takes over where another scanner of this dialect, a simple one, has stopped. */
  resume(state: number, lines: number): void {
    this.#state = state;
    this.#lines = lines;
    this.#isDense = false;
  }

  /** Whether the last call stopped because `ends` is full: the same bytes may hold more. */
  get isFull(): boolean {
    return this.endCount === ENDS_MAX;
  }

  /**
   * Reads on in `[from, to)`. Returns the offset of the first byte that was not read: less than
   * `to` where the ends are full, or where some last bytes cannot be decided without those that
   * follow. The unread bytes must come again, followed by the next ones. With `isFinal` the stream
   * ends at `to`, and so does its last record; call again while `isFull`.
   */
  scan(bytes: Uint8Array, from: number, to: number, isFinal: boolean): number {
    this.endCount = 0;
    if (!this.#syntax.simple) return this.#scanAny(bytes, from, to, isFinal);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, to);
    this.#isFinal = isFinal;
    this.#nextQuote = this.#nextLineFeed = this.#nextCarriageReturn = from - 1;
    let at = from;
    while (at < to && !this.isFull) {
      const next = this.#step(at);
      if (next === at) break;
      at = next;
    }
    if (isFinal && at === to && this.#state !== State.recordStart && !this.isFull) {
      this.#endUnit(to, this.#state === State.comment ? UnitKind.comment : UnitKind.record);
    }
    return at;
  }

  #scanAny(bytes: Uint8Array, from: number, to: number, isFinal: boolean): number {
    const machine = this.#machine;
    let at = from;
    while (!this.isFull) {
      at = machine.read(bytes, at, to, isFinal, null);
      this.#lines = machine.lines;
      if (!machine.unitDone) break;
      this.#endUnit(at, machine.unitKind);
    }
    return at;
  }

  /** Returns the next offset to read, or `at` itself where more bytes are needed. */
  #step(at: number): number {
    if (this.#state === State.comment) return this.#leapComment(at);
    if (this.#state !== State.recordStart) return this.#walk(at);
    const { comment } = this.#syntax;
    if (comment.length > 0 && this.#bytes[at] === comment[0]) {
      const end = at + comment.length;
      if (end > this.#bytes.length && !this.#isFinal) return at;
      if (matchesAt(this.#bytes, at, this.#bytes.length, comment)) {
        this.#state = State.comment;
        return end;
      }
    }
    if (!this.#isDense) {
      const lineEnd = this.#lineEndFrom(at);
      if (lineEnd < this.#quoteFrom(at) && !this.#isUndecided(lineEnd)) {
        return this.#endLine(lineEnd, lineEnd === at ? UnitKind.blank : UnitKind.record);
      }
    }
    return this.#walk(at);
  }

  /** Byte by byte to behind the record's end, or as far as can be decided. */
  #walk(from: number): number {
    const bytes = this.#bytes;
    const to = bytes.length;
    const classes = this.#classes;
    let state = this.#state;
    let hasQuote = state === State.quoted;
    let at = from;
    for (;;) {
      const runStart = at;
      let kind: number = ByteClass.other;
      while (at < to && (kind = classes[bytes[at]!]!) === ByteClass.other) at++;
      if (state !== State.quoted && at > runStart) {
        state = bytes[at - 1] === this.#delimiter ? State.fieldStart : State.unquoted;
      }
      if (at === to || (kind !== ByteClass.quote && this.#isUndecided(at))) break;
      if (kind === ByteClass.quote) {
        hasQuote = true;
        if (state === State.quoted) state = State.quoteSeen;
        else if (state === State.quoteSeen && !this.#syntax.doubling) state = State.unquoted;
        else if (state !== State.unquoted) state = State.quoted;
        at++;
      } else if (state === State.quoted) {
        this.#lines++;
        at += newlineAt(bytes, at, to, this.#syntax);
      } else {
        this.#isDense = hasQuote;
        return this.#endLine(at, state === State.recordStart ? UnitKind.blank : UnitKind.record);
      }
    }
    this.#state = state;
    return at;
  }

  #leapComment(from: number): number {
    const at = this.#lineEndFrom(from);
    if (at === this.#bytes.length || this.#isUndecided(at)) return at;
    return this.#endLine(at, UnitKind.comment);
  }

  /** Whether the line end at `at` is a CR whose LF may be yet to come. */
  #isUndecided(at: number): boolean {
    const isLast = at + 1 === this.#bytes.length && !this.#isFinal;
    return isLast && this.#bytes[at] === this.#carriageReturn;
  }

  #endLine(at: number, kind: number): number {
    const next = at + newlineAt(this.#bytes, at, this.#bytes.length, this.#syntax);
    this.#lines++;
    this.#endUnit(next, kind);
    return next;
  }

  #endUnit(end: number, kind: number): void {
    const i = this.endCount++;
    this.ends[i] = end;
    this.endLines[i] = this.#lines;
    this.endKinds[i] = kind;
    this.#state = State.recordStart;
  }

  /** Offset of the next line end at or behind `at`, or the bytes' end. */
  #lineEndFrom(at: number): number {
    if (this.#nextLineFeed < at) this.#nextLineFeed = this.#find(this.#lineFeed, at);
    if (this.#nextCarriageReturn < at) {
      this.#nextCarriageReturn = this.#find(this.#carriageReturn, at);
    }
    return Math.min(this.#nextLineFeed, this.#nextCarriageReturn);
  }

  #quoteFrom(at: number): number {
    if (this.#nextQuote < at) this.#nextQuote = this.#find(this.#quote, at);
    return this.#nextQuote;
  }

  #find(byte: number, from: number): number {
    const at = byte === NONE ? -1 : this.#bytes.indexOf(byte, from);
    return at < 0 ? this.#bytes.length : at;
  }
}
