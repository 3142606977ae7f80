import type { Dialect } from '../parsing/dialect.ts';
import type { Column } from '../protocol/job.ts';

/** What decides what the records of a lookup are. Plain JSON; part of the context of a join. */
export interface LookupContent {
  /** sha256 of the data records' text: the blob is `lookups/<key>`; of a lookup in parts, over theirs. */
  readonly key: string;
  /** How that text is read: delimited text by `dialect`, or one JSON object a line. */
  readonly format: 'csv' | 'ndjson';
  readonly dialect: Dialect;
  readonly columns: readonly Column[];
}

/** A lookup file as it came with a job, sniffed. */
export interface Lookup {
  /** The file's name, as the plan may name it. */
  readonly name: string;
  /** Bytes of the data records' text. */
  readonly bytes: number;
  readonly content: LookupContent;
  /** Of one that workers do not hold whole: the chunks that it was cut into, in order. */
  readonly parts?: readonly LookupPart[];
  /** Lines of the file before its records; 0 when left out. */
  readonly dataLine?: number;
}

/** A run of whole records of a lookup: the blob is `chunks/<key>`. */
export interface LookupPart {
  readonly key: string;
  readonly bytes: number;
  /** Line ends in it. */
  readonly lines: number;
}

/**
 * The file that a plan calls `name`: the one of that name, else of the last part of that path, else
 * the one that has this name but for its compression or its extension, as SQL writes it.
 */
export function findByName<T extends { readonly name: string }>(
  files: readonly T[],
  name: string,
): T | undefined {
  const base = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
  const plain = (file: string): string => file.replace(/\.(gz|zst|br|zip|deflate)$/i, '');
  const stem = (file: string): string => plain(file).replace(/\.[^.]*$/, '');
  return (
    files.find((file) => file.name === name) ??
    files.find((file) => file.name === base) ??
    files.find((file) => plain(file.name) === base) ??
    files.find((file) => stem(file.name) === base)
  );
}
