import { SluiceError } from '../errors.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import type { ColumnStatistics } from './column-statistics.ts';

/** A profile's partial: names as JSON, the number of records, and each column's statistics. */
export function encodeProfile(
  names: readonly string[],
  records: number,
  columns: readonly ColumnStatistics[],
): Uint8Array {
  const writer = new ByteWriter();
  writer.text(JSON.stringify(names));
  writer.count(records);
  for (const column of columns) column.write(writer);
  return writer.finish();
}

export interface ProfileHead {
  readonly names: readonly string[];
  readonly records: number;
  /** Stands at the first column. */
  readonly reader: ByteReader;
}

/** Reads up to the columns. Throws `blob-corrupt`. */
export function readProfileHead(partial: Uint8Array): ProfileHead {
  const reader = new ByteReader(partial);
  const text = reader.text();
  try {
    return { names: JSON.parse(text) as string[], records: reader.count(), reader };
  } catch (error) {
    throw new SluiceError('blob-corrupt', 'A profile partial has no column names', {
      cause: error,
    });
  }
}
