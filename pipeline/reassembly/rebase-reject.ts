import type { Reject } from '../protocol/job.ts';
import type { RelativeReject } from '../result/relative-reject.ts';

/** Where a chunk stands in the input: what all chunks before it, and the header, hold. */
export interface ChunkBase {
  readonly chunk: number;
  readonly wave: number;
  /** Data records before the chunk, in its wave. */
  readonly recordsBefore: number;
  /** Where the input's bytes go on; null for a task of a later wave, which reads none of them. */
  readonly place: ChunkPlace | null;
}

export interface ChunkPlace {
  /** Lines before the chunk, header and preamble included. */
  readonly linesBefore: number;
  /** Offset of the chunk's first byte in the (decompressed, UTF-8) input. */
  readonly byteOffset: number;
}

/** The reject with its place in the whole input; records and lines from 1. */
export function rebaseReject(reject: RelativeReject, base: ChunkBase): Reject {
  return {
    ...reject,
    record: base.recordsBefore + reject.record + 1,
    line: base.place === null ? null : base.place.linesBefore + reject.line + 1,
    byteOffset: base.place === null ? null : base.place.byteOffset + reject.byteOffset,
    chunk: base.chunk,
    wave: base.wave,
  };
}
