import { appendField, RecordFlag } from './record-index.ts';
import type { RecordIndex } from './record-index.ts';
import { matchesAt, newlineAt } from './syntax.ts';
import type { Syntax } from './syntax.ts';

/**
 * Where the machine stands between two bytes.
 *
 * | state       | entered                               | a delimiter, a line end |
 * | ----------- | ------------------------------------- | ----------------------- |
 * | recordStart | at the start and behind each line end | count                   |
 * | fieldStart  | behind a delimiter                    | count                   |
 * | unquoted    | by any other byte                     | count                   |
 * | quoted      | by a quote at a field's start         | are text                |
 * | quoteSeen   | by a quote inside quotes              | count                   |
 * | comment     | by the comment text at recordStart    | only a line end counts  |
 */
export const State = {
  recordStart: 0,
  fieldStart: 1,
  unquoted: 2,
  quoted: 3,
  quoteSeen: 4,
  comment: 5,
} as const;

/** What ends at a line end: a record, a line without a byte, or a comment line. */
export const UnitKind = { record: 0, blank: 1, comment: 2 } as const;

/**
 * Reads any dialect byte by byte, one unit (record, blank line, comment) at a time, and may be
 * stopped between any two bytes. The definition of a record that the fast loops must agree with.
 */
export class RecordMachine {
  readonly #syntax: Syntax;
  #state: number = State.recordStart;
  #fieldStart = 0;
  /** Line ends read. */
  lines = 0;
  /** Whether the last call ended a unit; the facts below are about it. */
  unitDone = false;
  unitKind: number = UnitKind.record;
  /** One past the unit's last byte, its line end excluded. */
  unitEnd = 0;
  /** `RecordFlag` bits. */
  unitFlags = 0;

  constructor(syntax: Syntax) {
    this.#syntax = syntax;
  }

  /** Goes back to a record's start; `lines` stays. */
  restart(): void {
    this.#state = State.recordStart;
    this.unitFlags = 0;
  }

  /**
   * Reads on from `from` to the end of one unit, or to the last byte before `to` that can be
   * decided. Returns the offset of the first byte that was not read; it must come again, with those
   * that follow. Appends the unit's fields to `index`, where one is given.
   */
  read(
    bytes: Uint8Array,
    from: number,
    to: number,
    isFinal: boolean,
    index: RecordIndex | null,
  ): number {
    const limit = isFinal ? to : to - this.#syntax.lookahead + 1;
    let at = from;
    if (this.unitDone) this.unitFlags = 0;
    this.unitDone = false;
    while (at < limit) {
      at = this.#step(bytes, at, to, index);
      if (this.unitDone) return at;
    }
    if (isFinal && this.#state !== State.recordStart) {
      if (this.#state === State.quoted) this.unitFlags |= RecordFlag.unterminated;
      this.#endUnit(to, index);
    }
    return at;
  }

  #step(bytes: Uint8Array, at: number, to: number, index: RecordIndex | null): number {
    const { comment } = this.#syntax;
    if (this.#state === State.quoted) return this.#stepQuoted(bytes, at, to);
    if (this.#state === State.comment) {
      const length = newlineAt(bytes, at, to, this.#syntax);
      return length > 0 ? this.#endLine(at, length, index) : at + 1;
    }
    if (this.#state === State.recordStart) {
      if (matchesAt(bytes, at, to, comment)) {
        this.#state = State.comment;
        this.unitKind = UnitKind.comment;
        return at + comment.length;
      }
      this.unitKind = UnitKind.record;
      this.#fieldStart = at;
    }
    return this.#stepField(bytes, at, to, index);
  }

  #stepField(bytes: Uint8Array, at: number, to: number, index: RecordIndex | null): number {
    const { quote, escape, delimiter, doubling } = this.#syntax;
    if (matchesAt(bytes, at, to, quote)) {
      if (this.#state === State.recordStart || this.#state === State.fieldStart) {
        this.#state = State.quoted;
        return at + quote.length;
      }
      if (this.#state === State.quoteSeen && doubling) {
        this.#state = State.quoted;
        return at + quote.length;
      }
    } else if (matchesAt(bytes, at, to, escape) && at + escape.length < to) {
      this.#markText();
      return this.#passLine(bytes, at + escape.length, to);
    } else if (matchesAt(bytes, at, to, delimiter)) {
      if (index !== null) appendField(index, this.#fieldStart, at);
      this.#fieldStart = at + delimiter.length;
      this.#state = State.fieldStart;
      return this.#fieldStart;
    } else {
      const length = newlineAt(bytes, at, to, this.#syntax);
      if (length > 0) {
        if (this.#state === State.recordStart) this.unitKind = UnitKind.blank;
        return this.#endLine(at, length, index);
      }
      this.#markText();
      return at + 1;
    }
    this.unitFlags |= RecordFlag.irregular;
    this.#state = State.unquoted;
    return at + quote.length;
  }

  #stepQuoted(bytes: Uint8Array, at: number, to: number): number {
    const { quote, escape } = this.#syntax;
    if (matchesAt(bytes, at, to, escape) && at + escape.length < to) {
      return this.#passLine(bytes, at + escape.length, to);
    }
    if (matchesAt(bytes, at, to, quote)) {
      this.#state = State.quoteSeen;
      return at + quote.length;
    }
    return this.#passLine(bytes, at, to);
  }

  /** A byte of text outside quotes. */
  #markText(): void {
    if (this.#state === State.quoteSeen) this.unitFlags |= RecordFlag.irregular;
    this.#state = State.unquoted;
  }

  /** Passes one byte, or one line end that is text. */
  #passLine(bytes: Uint8Array, at: number, to: number): number {
    const length = newlineAt(bytes, at, to, this.#syntax);
    if (length === 0) return at + 1;
    this.lines++;
    return at + length;
  }

  #endLine(at: number, length: number, index: RecordIndex | null): number {
    this.#endUnit(at, index);
    this.lines++;
    return at + length;
  }

  #endUnit(at: number, index: RecordIndex | null): void {
    if (index !== null && this.unitKind !== UnitKind.comment) {
      appendField(index, this.#fieldStart, at);
    }
    this.#state = State.recordStart;
    this.unitEnd = at;
    this.unitDone = true;
  }
}
