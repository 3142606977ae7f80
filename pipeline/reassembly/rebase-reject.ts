import type { Reject } from '../protocol/job.ts';
import type { RecordOrigin, RelativeReject } from '../result/relative-reject.ts';

/** Where a chunk stands: what all chunks of its wave before it, and the header, hold. */
export interface ChunkBase {
  readonly chunk: number;
  readonly wave: number;
  /** Data records before the chunk, in its wave. */
  readonly recordsBefore: number;
  /** Whether its records are groups, or of those that a join made of fewer. */
  readonly derived: boolean;
  /** Where the input's bytes go on; null for a task of a later wave, which reads none of them. */
  readonly place: ChunkPlace | null;
}

export interface ChunkPlace {
  /** Lines before the chunk, header and preamble included. */
  readonly linesBefore: number;
  /** Offset of the chunk's first byte in the (decompressed, UTF-8) input. */
  readonly byteOffset: number;
}

/** The chunk of the input that a record of a later wave stood in, and the record there. */
export interface OriginBase {
  /** Data records before the chunk. */
  readonly recordsBefore: number;
  readonly place: ChunkPlace;
  /** The record's bytes; null where they are not wanted, or not to be had. */
  readonly raw: Pick<Reject, 'raw' | 'rawEncoding'> | null;
}

/** The reject with its place in the whole input; records and lines from 1. `origin` is that of its
 *  record, where it has one. */
export function rebaseReject(
  { origin, ...reject }: RelativeReject,
  { chunk, wave, derived, recordsBefore, place }: ChunkBase,
  ofOrigin: OriginBase | null = null,
): Reject {
  const about = { chunk, wave, derived };
  if (origin !== undefined && ofOrigin !== null) {
    const stood = placed(origin, ofOrigin.recordsBefore, ofOrigin.place);
    return { ...reject, ...stood, ...ofOrigin.raw, ...about };
  }
  if (place !== null) return { ...reject, ...placed(reject, recordsBefore, place), ...about };
  const record = recordsBefore + reject.record + 1;
  return { ...reject, record, line: null, byteOffset: null, ...about };
}

function placed(
  { record, line, byteOffset }: Pick<RecordOrigin, 'record' | 'line' | 'byteOffset'>,
  recordsBefore: number,
  place: ChunkPlace,
): Pick<Reject, 'record' | 'line' | 'byteOffset'> {
  return {
    record: recordsBefore + record + 1,
    line: place.linesBefore + line + 1,
    byteOffset: place.byteOffset + byteOffset,
  };
}
