import { Readable } from 'node:stream';
import type { OutputFrame } from '../../pipeline/execution/output-frame.ts';
import type { OutputMap } from '../../pipeline/reassembly/output-map.ts';
import { RESULT_HEAD_BYTES } from '../../pipeline/result/result-format.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';

/** The result's bytes: header, the chunks' outputs in file order, footer. Nothing is rewritten. */
export interface ResultParts {
  readonly frame: OutputFrame;
  readonly map: OutputMap;
  /** Whether the footer belongs to it already. */
  readonly complete: boolean;
  readonly taskKeyOf: (chunk: number) => string;
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

/** Bytes `[start, end)` of the result as a stream that reads no further than it is read. */
export function resultStream(
  blobs: BlobStore,
  parts: ResultParts,
  start: number,
  end: number,
): Readable {
  return Readable.from(resultPieces(blobs, parts, start, end), { objectMode: false });
}

/** The same as pieces. */
export async function* resultPieces(
  blobs: BlobStore,
  parts: ResultParts,
  start: number,
  end: number,
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
    for await (const piece of blobs.stream(name, from, from + take)) yield piece as Uint8Array;
    at += take;
  }
  if (parts.complete && end > bodyEnd) {
    yield frame.footer.subarray(Math.max(0, start - bodyEnd), end - bodyEnd);
  }
}
