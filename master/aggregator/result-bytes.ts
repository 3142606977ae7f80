import { Readable } from 'node:stream';
import { SluiceError } from '../../pipeline/errors.ts';
import type { OutputFrame } from '../../pipeline/execution/output-frame.ts';
import type { OutputMap } from '../../pipeline/reassembly/output-map.ts';
import { RESULT_HEAD_BYTES } from '../../pipeline/result/result-format.ts';
import type { BlobStore, Room } from '../../pipeline/storage/blob-store.ts';

/** The result's bytes: header, the chunks' outputs in file order, footer. Nothing is rewritten. */
export interface ResultParts {
  readonly frame: OutputFrame;
  readonly map: OutputMap;
  /** Whether the footer belongs to it already. */
  readonly complete: boolean;
  readonly taskKeyOf: (chunk: number) => string;
  /**
   * Resolves when the chunk's stored output is what was stored; `part` when not all of it is wanted.
   * Throws `blob-corrupt`, `blob-missing`.
   */
  readonly check: (chunk: number, part: boolean) => Promise<void>;
}

/** Bytes of the chunks' outputs as they are downloaded. */
function bodyBytes({ frame, map }: ResultParts): number {
  return Math.max(0, map.totals().outputBytes - frame.skipFirstBytes);
}

/** Size of the result now. */
export function resultByteCount(parts: ResultParts): number {
  const footer = parts.complete ? parts.frame.footer.length : 0;
  return parts.frame.header.length + bodyBytes(parts) + footer;
}

/** Where a chunk's output is in the result. */
export function placeOfOutput(
  { frame, map }: Pick<ResultParts, 'frame' | 'map'>,
  chunk: number,
): { readonly start: number; readonly end: number } {
  const at = frame.header.length - frame.skipFirstBytes;
  const before = map.before(chunk).outputBytes;
  const start = Math.max(frame.header.length, at + before);
  return { start, end: Math.max(start, at + before + map.entry(chunk).outputBytes) };
}

/** The chunk that holds byte `at` of the result; null for the frame and beyond the end. */
export function chunkAt({ frame, map }: ResultParts, at: number): number | null {
  if (at < frame.header.length) return null;
  return map.locate(at - frame.header.length + frame.skipFirstBytes)?.chunk ?? null;
}

/** Bytes `[start, end)` of the result as a stream that reads no further than it is read. */
export function resultStream(
  blobs: BlobStore,
  parts: ResultParts,
  start: number,
  end: number,
): Readable {
  return Readable.from(resultPieces(blobs, parts, start, end), { objectMode: false });
}

/**
 * The same as pieces. No byte of a chunk's output comes before all of it was found whole. With a
 * `room` each piece is lent until the next is asked for, where the store can lend.
 */
export async function* resultPieces(
  blobs: BlobStore,
  parts: ResultParts,
  start: number,
  end: number,
  room: Room | null = null,
): AsyncGenerator<Uint8Array> {
  const { frame, map } = parts;
  const bodyStart = frame.header.length;
  const bodyEnd = bodyStart + bodyBytes(parts);
  if (start < bodyStart) yield frame.header.subarray(start, Math.min(end, bodyStart));
  let at = Math.max(start, bodyStart);
  const stop = Math.min(end, bodyEnd);
  while (at < stop) {
    const place = map.locate(at - bodyStart + frame.skipFirstBytes);
    if (place === null) return;
    const size = map.entry(place.chunk).outputBytes;
    const take = Math.min(size - place.within, stop - at);
    const from = RESULT_HEAD_BYTES + place.within;
    const name = `results/${parts.taskKeyOf(place.chunk)}`;
    await parts.check(place.chunk, take < size);
    let sent = 0;
    const lent = room === null ? undefined : blobs.lend?.(name, from, from + take, room);
    for await (const piece of lent ?? blobs.stream(name, from, from + take)) {
      sent += (piece as Uint8Array).length;
      yield piece as Uint8Array;
    }
    if (sent !== take) throw new SluiceError('blob-corrupt', `${name} ends too early`);
    at += take;
  }
  if (parts.complete && end > bodyEnd) {
    yield frame.footer.subarray(Math.max(0, start - bodyEnd), end - bodyEnd);
  }
}
