/** How the bytes of a delimited text file are to be read. Plain JSON; part of the contextKey. */
export interface Dialect {
  /** One or more characters. */
  readonly delimiter: string;
  /** One character, or '' for a file without quoting. */
  readonly quote: string;
  /** Makes the next character literal. Equal to `quote` for RFC 4180's doubled quotes; '' for none. */
  readonly escape: string;
  /** 'any' ends a record at LF, CRLF or a lone CR; else exactly the given text ends a record. */
  readonly newline: string;
  /** Lines that start with it are not records; '' for none. */
  readonly comment: string;
  /** Whether the first record names the columns. */
  readonly header: boolean;
  /** Lines before the header or first record that are not part of the table. */
  readonly skip: number;
}

/** RFC 4180 with universal newlines. */
export const RFC_4180: Dialect = {
  delimiter: ',',
  quote: '"',
  escape: '"',
  newline: 'any',
  comment: '',
  header: true,
  skip: 0,
};
