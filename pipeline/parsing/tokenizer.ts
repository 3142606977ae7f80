import type { Dialect } from './dialect.ts';
import { appendRecord, clearRecordIndex, growFields, RecordFlag } from './record-index.ts';
import type { RecordIndex } from './record-index.ts';
import { RecordMachine, UnitKind } from './record-machine.ts';
import { ByteClass, byteClasses, matchesAt, newlineAt, syntaxOf } from './syntax.ts';
import type { Syntax } from './syntax.ts';
import { flagInvalidUtf8 } from './utf8.ts';

export interface TokenizerOptions {
  /** Whether a line without a byte is no record ('always') or a record with one empty field
   *  ('never'). Nothing behind the last line end is never a record. */
  readonly skipBlankLines: 'never' | 'always';
}

const INCOMPLETE = -1;

/**
 * Finds records and fields in bytes: the reference for every other reader of delimited text.
 *
 * A record ends at a line end outside quotes. A quote opens a field only at the field's start (RFC
 * 4180 section 2); inside quotes a doubled quote, or what follows the escape, is text. What stands
 * between a closing quote and the next delimiter or line end belongs to the field. Comment lines
 * are recognised at a record's start only.
 */
export class Tokenizer {
  readonly #syntax: Syntax;
  readonly #skipBlank: boolean;
  readonly #machine: RecordMachine;
  readonly #classes: Uint8Array;
  readonly #quotedClasses: Uint8Array;
  /** Line ends inside the quotes that `#passQuoted` went through last. */
  #quotedLines = 0;
  #line = 0;

  constructor(dialect: Dialect, options: TokenizerOptions) {
    this.#syntax = syntaxOf(dialect);
    this.#skipBlank = options.skipBlankLines === 'always';
    this.#machine = new RecordMachine(this.#syntax);
    this.#classes = byteClasses(this.#syntax, true);
    this.#quotedClasses = byteClasses(this.#syntax, false);
  }

  /** Line ends consumed since the last reset. */
  get lines(): number {
    return this.#line;
  }

  /** Counts lines from 0 again: the next call starts another buffer. */
  reset(): void {
    this.#line = 0;
  }

  /**
   * Fills `index`, from its beginning, with the records of `[start, end)`, which starts at a
   * record's start; at most `recordCountMax` of them. With `isFinal` false the bytes behind `end`
   * are yet to come. Returns the offset of the first byte that was not consumed: the start of a
   * record that is incomplete, or that did not fit. Lines are counted on from the call before.
   */
  tokenize(
    bytes: Uint8Array,
    start: number,
    end: number,
    isFinal: boolean,
    index: RecordIndex,
    recordCountMax = Number.MAX_SAFE_INTEGER,
  ): number {
    clearRecordIndex(index);
    const consumed = this.#syntax.simple
      ? this.#readSimple(bytes, start, end, isFinal, index, recordCountMax)
      : this.#readAny(bytes, start, end, isFinal, index, recordCountMax);
    flagInvalidUtf8(bytes, start, consumed, index);
    return consumed;
  }

  #readAny(
    bytes: Uint8Array,
    start: number,
    end: number,
    isFinal: boolean,
    index: RecordIndex,
    recordCountMax: number,
  ): number {
    const machine = this.#machine;
    let at = start;
    while (at < end && index.recordCount < recordCountMax) {
      machine.restart();
      machine.lines = this.#line;
      const fieldCount = index.fieldCount;
      const next = machine.read(bytes, at, end, isFinal, index);
      if (!machine.unitDone) {
        index.fieldCount = fieldCount;
        break;
      }
      const { unitKind } = machine;
      if (unitKind === UnitKind.record || (unitKind === UnitKind.blank && !this.#skipBlank)) {
        appendRecord(index, at, machine.unitEnd, this.#line, machine.unitFlags);
      } else index.fieldCount = fieldCount;
      this.#line = machine.lines;
      at = next;
    }
    return at;
  }

  #readSimple(
    bytes: Uint8Array,
    start: number,
    end: number,
    isFinal: boolean,
    index: RecordIndex,
    recordCountMax: number,
  ): number {
    const classes = this.#classes;
    const { comment } = this.#syntax;
    let at = start;
    while (at < end && index.recordCount < recordCountMax) {
      let next: number;
      if (comment.length > 0 && bytes[at] === comment[0]) {
        if (!isFinal && at + comment.length > end) break;
        next = matchesAt(bytes, at, end, comment)
          ? this.#passLine(bytes, at + comment.length, end, isFinal)
          : this.#readRecord(bytes, at, end, isFinal, index);
      } else if (this.#skipBlank && classes[bytes[at]!]! >= ByteClass.newline) {
        next = this.#passLine(bytes, at, end, isFinal);
      } else next = this.#readRecord(bytes, at, end, isFinal, index);
      if (next === INCOMPLETE) break;
      at = next;
    }
    return at;
  }

  /** Returns the start of the next line, or INCOMPLETE. */
  #passLine(bytes: Uint8Array, from: number, end: number, isFinal: boolean): number {
    for (let at = from; at < end; at++) {
      if (this.#classes[bytes[at]!]! < ByteClass.newline) continue;
      if (!isFinal && this.#mayGrow(bytes, at, end)) return INCOMPLETE;
      this.#line++;
      return at + newlineAt(bytes, at, end, this.#syntax);
    }
    return isFinal ? end : INCOMPLETE;
  }

  /** Whether the line end at `at` is a CR whose LF may be yet to come. */
  #mayGrow(bytes: Uint8Array, at: number, end: number): boolean {
    return at + 1 === end && this.#classes[bytes[at]!] === ByteClass.carriageReturn;
  }

  /** Reads one record of a simple syntax. Returns the start of the next, or INCOMPLETE. */
  #readRecord(
    bytes: Uint8Array,
    start: number,
    end: number,
    isFinal: boolean,
    index: RecordIndex,
  ): number {
    const classes = this.#classes;
    let { fieldStarts, fieldEnds } = index;
    let field = index.fieldCount;
    let at = start;
    let flags = 0;
    let lines = 0;
    for (;;) {
      if (field === fieldStarts.length) {
        growFields(index);
        ({ fieldStarts, fieldEnds } = index);
      }
      fieldStarts[field] = at;
      let kind = at < end ? classes[bytes[at]!]! : ByteClass.newline;
      if (kind === ByteClass.quote) {
        at = this.#passQuoted(bytes, at + 1, end);
        lines += this.#quotedLines;
        if (at < 0) {
          at = end;
          flags |= RecordFlag.unterminated;
        } else if (at < end) {
          kind = classes[bytes[at]!]!;
          if (kind === ByteClass.other || kind === ByteClass.quote) flags |= RecordFlag.irregular;
        }
      }
      // From here a quote is text.
      while (at < end) {
        kind = classes[bytes[at]!]!;
        if (kind !== ByteClass.other) {
          if (kind !== ByteClass.quote) break;
          flags |= RecordFlag.irregular;
        }
        at++;
      }
      fieldEnds[field++] = at;
      if (at === end || kind !== ByteClass.delimiter) break;
      at++;
    }
    if (!isFinal && (at === end || this.#mayGrow(bytes, at, end))) return INCOMPLETE;
    index.fieldCount = field;
    appendRecord(index, start, at, this.#line, flags);
    if (at === end) {
      this.#line += lines;
      return end;
    }
    this.#line += lines + 1;
    return at + newlineAt(bytes, at, end, this.#syntax);
  }

  /** Returns the offset behind the closing quote, or -1 where there is none. */
  #passQuoted(bytes: Uint8Array, from: number, end: number): number {
    const classes = this.#quotedClasses;
    const { doubling } = this.#syntax;
    let at = from;
    let lines = 0;
    for (; at < end; at++) {
      const kind = classes[bytes[at]!]!;
      if (kind === ByteClass.other) continue;
      if (kind === ByteClass.quote) {
        if (!doubling || at + 1 >= end || classes[bytes[at + 1]!] !== ByteClass.quote) {
          this.#quotedLines = lines;
          return at + 1;
        }
        at++;
      } else {
        lines++;
        if (kind === ByteClass.carriageReturn && at + 1 < end && bytes[at + 1] === 10) at++;
      }
    }
    this.#quotedLines = lines;
    return -1;
  }
}
