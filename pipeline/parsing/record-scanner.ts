import type { Dialect } from './dialect.ts';
import { RecordMachine, State, UnitKind } from './record-machine.ts';
import { matchesAt, newlineAt, syntaxOf } from './syntax.ts';
import type { Syntax } from './syntax.ts';

/** Ends handed out by one call at most: bounds the scanner's memory. */
const ENDS_MAX = 4096;
const LF = 10;
const CR = 13;
const NONE = -1;

/**
 * Finds the ends of records, blank lines and comment lines in a stream of bytes, and nothing else.
 * Its state between calls is constant in size: a record of any length passes through. It ends a
 * record exactly where `Tokenizer` does. States are those of `RecordMachine`; here the simple
 * dialects are read by leaps to the next line end or quote.
 */
export class RecordScanner {
  readonly #syntax: Syntax;
  readonly #machine: RecordMachine;
  readonly #quote: number;
  readonly #delimiter: number;
  readonly #lineFeed: number;
  readonly #carriageReturn: number;
  #state: number = State.recordStart;
  #lines = 0;
  /** The bytes of the call, up to its end, and the next occurrences in them. */
  #bytes: Buffer = Buffer.alloc(0);
  #isFinal = false;
  #nextQuote = 0;
  #nextLineFeed = 0;
  #nextCarriageReturn = 0;

  /** What the last call found: valid up to `endCount`. */
  endCount = 0;
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
    this.#quote = syntax.quote[0] ?? NONE;
    this.#delimiter = syntax.delimiter[0] ?? NONE;
    this.#lineFeed = syntax.newline[0] ?? LF;
    this.#carriageReturn = syntax.newline.length === 0 ? CR : NONE;
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
    const byte = this.#bytes[at]!;
    switch (this.#state) {
      case State.quoted:
        return this.#leapQuoted(at);
      case State.comment:
        return this.#leapComment(at);
      case State.quoteSeen:
        if (byte === this.#quote && this.#syntax.doubling) {
          this.#state = State.quoted;
          return at + 1;
        }
        this.#state = State.unquoted;
        return this.#leapUnquoted(at);
      case State.recordStart:
        if (byte === this.#syntax.comment[0]) {
          const end = at + this.#syntax.comment.length;
          if (end > this.#bytes.length && !this.#isFinal) return at;
          if (matchesAt(this.#bytes, at, this.#bytes.length, this.#syntax.comment)) {
            this.#state = State.comment;
            return end;
          }
        }
        break;
    }
    if (byte === this.#quote && this.#state !== State.unquoted) {
      this.#state = State.quoted;
      return at + 1;
    }
    return this.#leapUnquoted(at);
  }

  /** To behind the line end, or into the next quoted field. */
  #leapUnquoted(from: number): number {
    const bytes = this.#bytes;
    const to = bytes.length;
    let at = from;
    for (;;) {
      const lineEnd = this.#lineEndFrom(at);
      const quote = this.#quoteFrom(at);
      at = Math.min(lineEnd, quote);
      if (at === to) {
        this.#state = bytes[to - 1] === this.#delimiter ? State.fieldStart : State.unquoted;
        return to;
      }
      if (at === lineEnd) {
        const kind =
          at === from && this.#state === State.recordStart ? UnitKind.blank : UnitKind.record;
        if (this.#isUndecided(at)) {
          if (kind === UnitKind.record) this.#state = State.unquoted;
          return at;
        }
        return this.#endLine(at, kind);
      }
      if (at > from && bytes[at - 1] === this.#delimiter) {
        this.#state = State.quoted;
        return at + 1;
      }
      at++;
    }
  }

  /** To behind the next quote; the line ends before it are text. */
  #leapQuoted(from: number): number {
    const quote = this.#quoteFrom(from);
    let at = this.#lineEndFrom(from);
    while (at < quote) {
      if (this.#isUndecided(at)) return at;
      this.#lines++;
      at = this.#lineEndFrom(at + newlineAt(this.#bytes, at, this.#bytes.length, this.#syntax));
    }
    if (quote === this.#bytes.length) return quote;
    this.#state = State.quoteSeen;
    return quote + 1;
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
