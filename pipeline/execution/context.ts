import type { Exchange } from '../exchange/exchange.ts';
import type { Dialect } from '../parsing/dialect.ts';
import type { Step } from '../plan/step.ts';
import type { Column } from '../protocol/job.ts';
import type { Notation } from '../values/notation.ts';

/** Part of every contextKey: raise it when the same chunk and plan would give other bytes. */
export const ENGINE_VERSION = 'sluice-engine-8';

/**
 * Everything that decides what a chunk becomes. Plain JSON; `contextKey` is the sha256 of its
 * canonical form, and the workers read it from the blob `contexts/<contextKey>`.
 */
export interface ChunkContext {
  readonly engine: string;
  /** What a task reads: a chunk of the input, or slices of what the wave before prepared. */
  readonly input: 'chunk' | Exchange;
  /** How the chunk's bytes are read: delimited text by `dialect`, one JSON object a line, or the groups
   *  of an aggregate: delimited text in which an empty field is NULL and a quoted one is a text. */
  readonly format: 'csv' | 'ndjson' | 'groups';
  readonly dialect: Dialect;
  /** Input columns in file order, with their frozen types. */
  readonly columns: readonly Column[];
  /** Columns of a chunk whose texts are not written plainly; left out where there are none. */
  readonly notations?: readonly ColumnNotation[];
  /** Texts that stand for NULL. */
  readonly nullstr: readonly string[];
  readonly onError: 'reject' | 'null' | 'fail';
  /** Pad records that lack cells instead of rejecting them. */
  readonly nullPadding: boolean;
  /** Row-local and mergeable steps, normalised: every default filled in, in order. */
  readonly steps: readonly Step[];
  readonly write: OutputEncoding;
  /** What the next wave finds; null in the last. */
  readonly exchange: Exchange | null;
}

/** How the texts of the column at a position write its values. */
export interface ColumnNotation {
  readonly column: number;
  readonly notation: Notation;
}

/** Whether records have an empty field for NULL and a quoted one for the empty text: those that came
 *  from JSON, and groups. In delimited text `nullstr` decides. */
export function tellsEmpty({ format }: Pick<ChunkContext, 'format'>): boolean {
  return format !== 'csv';
}

/** How output records are written. */
export interface OutputEncoding {
  readonly format: 'csv' | 'ndjson' | 'json';
  /** All others are of csv. */
  readonly delim: string;
  /** One ASCII character; within a quoted field it stands twice. */
  readonly quote: string;
  /** What is quoted besides what must be: nothing, every cell, or cells of other columns than
   *  numbers. NULL never is. */
  readonly quoting: 'minimal' | 'all' | 'nonnumeric';
  readonly newline: '\n' | '\r\n';
  /** What NULL is written as; null for as it came, and an empty field where it is computed. */
  readonly nullstr: string | null;
  readonly header: boolean;
  readonly bom: boolean;
  readonly escapeFormulas: boolean;
}

/** Records as in RFC 4180, that end with LF. */
export const PLAIN_CSV: OutputEncoding = {
  ...{ format: 'csv', delim: ',', quote: '"', quoting: 'minimal', newline: '\n', nullstr: null },
  ...{ header: true, bom: false, escapeFormulas: false },
};
