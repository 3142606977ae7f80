import type { Slice } from '../exchange/wave-document.ts';
import type { ChunkStatistics } from '../protocol/messages.ts';

/** What a chunk became: a pure function of its bytes and the context. */
export interface ChunkResult {
  readonly statistics: ChunkStatistics;
  /** Output records, without header, in parts. Parts may be views of the chunk's bytes. */
  readonly output: readonly Uint8Array[];
  /** NDJSON of `RelativeReject`. */
  readonly rejects: Uint8Array;
  /** Profile and groups, see pipeline/result/partial.ts. */
  readonly partial: Uint8Array;
  /** Index of the output for the wave that reads it; empty in the last wave. */
  readonly exchange: Uint8Array;
}

/** Yields after each batch of records, and returns the result. */
export type Steps = Generator<undefined, ChunkResult, undefined>;

/** A plan made ready to run over chunks, one after another. */
export interface ChunkProgram {
  /** What a task needs beside the bytes of its chunk; nothing for a chunk of the input. */
  slices(bytes: Uint8Array): readonly Slice[];
  /**
   * `slices` are the bytes of what `slices()` named, in that order. Throws 'input-malformed' under
   * on_error 'fail', 'group-limit', 'limit-exceeded' when a join makes too much of a chunk, and
   * 'blob-corrupt' whose detail `name` is that of the slice.
   */
  run(bytes: Uint8Array, slices?: readonly Uint8Array[]): ChunkResult;
  /** The same batch by batch, to be left in between by who has to do something else. One at a time. */
  steps(bytes: Uint8Array, slices?: readonly Uint8Array[]): Steps;
  /** Memory that its lookups take. */
  readonly lookupMemoryBytes: number;
}

/** Takes all steps at once. */
export function finished(steps: Steps): ChunkResult {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
