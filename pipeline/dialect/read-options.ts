import type { ColumnType } from '../protocol/job.ts';

/** The plan's `read:` section with every default filled in. 'auto' is found out from the input. */
export interface ReadOptions {
  readonly format: 'auto' | 'csv' | 'ndjson' | 'json';
  /** 'auto', or one or more characters. */
  readonly delim: string;
  /** 'auto', one character, or '' for a file without quoting. */
  readonly quote: string;
  /** 'auto', one character, or '' for none. */
  readonly escape: string;
  /** 'auto' and 'any' end a record at LF, CRLF or a lone CR. */
  readonly newline: string;
  readonly header: 'auto' | boolean;
  /** Lines to skip before the table; 0 lets a preamble be found. */
  readonly skip: number;
  /** Text that starts a comment line; '' for none stated. */
  readonly comment: string;
  /** Texts that stand for NULL. */
  readonly nullstr: readonly string[];
  readonly encoding: string;
  readonly compression: string;
  readonly onError: 'reject' | 'null' | 'fail';
  readonly nullPadding: boolean;
  /** Columns that the plan states; a type left out is inferred. */
  readonly fields?: readonly StatedField[];
}

export interface StatedField {
  readonly name: string;
  readonly type?: ColumnType | undefined;
}

export const DEFAULT_READ_OPTIONS: ReadOptions = {
  format: 'auto',
  delim: 'auto',
  quote: 'auto',
  escape: 'auto',
  newline: 'auto',
  header: 'auto',
  skip: 0,
  comment: '',
  nullstr: [''],
  encoding: 'auto',
  compression: 'auto',
  onError: 'reject',
  nullPadding: false,
};
