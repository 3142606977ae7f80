import { Chunker } from '../../pipeline/chunking/chunker.ts';
import type { ChunkerOptions, CutChunk } from '../../pipeline/chunking/chunker.ts';
import type { ChunkLimits } from '../../pipeline/limits.ts';
import type { Dialect } from '../../pipeline/parsing/dialect.ts';

/** All chunks of an input that is pushed in buffers of `bufferBytes`. */
export function cutAll(
  bytes: Uint8Array,
  dialect: Dialect | 'ndjson',
  limits: ChunkLimits,
  options: ChunkerOptions & { readonly bufferBytes?: number } = {},
): CutChunk[] {
  const chunker = new Chunker(dialect, limits, options);
  const cut: CutChunk[] = [];
  const step = options.bufferBytes ?? bytes.length;
  for (let at = 0; at < bytes.length; at += step) {
    // A copy that is overwritten afterwards shows a chunk that is a view into it.
    const buffer = Uint8Array.from(bytes.subarray(at, at + step));
    cut.push(...chunker.push(buffer));
    buffer.fill(0xff);
  }
  cut.push(...chunker.finish());
  return cut;
}

/** Limits that cut at the first record end from `bytes` bytes on, and never exceed it by choice. */
export function fixedLimits(bytes: number): ChunkLimits {
  return { minBytes: bytes, targetBytes: bytes, easeBytes: bytes, maxBytes: bytes };
}
