import { Readable } from 'node:stream';
import type { ResultFormat } from '../../pipeline/plan/schema.ts';
import type { BlobStore, Room } from '../../pipeline/storage/blob-store.ts';
import type { ResultView } from '../service.ts';
import { chunkAt, placeOfOutput, resultByteCount } from './result-bytes.ts';
import { resultPieces, resultStream } from './result-bytes.ts';
import type { ResultParts } from './result-bytes.ts';

/** Where a result's bytes are now: one object, or the outputs of the chunks merged so far. */
export type ResultSource = {
  readonly complete: boolean;
  /** Null until the input was sniffed. */
  readonly format: ResultFormat | null;
  /** Names the finished bytes: what the input and the context were. */
  readonly identity: string | null;
  /** A chunk whose stored output is known to be damaged. */
  readonly damagedChunk: number | null;
} & (
  | {
      readonly kind: 'pieces';
      readonly bytes: number;
      /** Bytes `[start, end)`. Throws where they are damaged, before the first of them. */
      readonly pieces: (start: number, end: number) => AsyncIterable<Uint8Array>;
    }
  | { readonly kind: 'parts'; readonly parts: ResultParts | null }
);

/** Calls the listener at each change of the job; returns how to stop that. */
export type OnJobChange = (listener: () => void) => () => void;

/** A follower looks for more this often when nobody tells it of a change. */
const FOLLOW_POLL_MS = 1_000;

export const FORMATS = {
  csv: { contentType: 'text/csv; charset=utf-8', extension: 'csv' },
  ndjson: { contentType: 'application/x-ndjson', extension: 'ndjson' },
  json: { contentType: 'application/json', extension: 'json' },
  parquet: { contentType: 'application/vnd.apache.parquet', extension: 'parquet' },
} as const;

/** The result as a growing byte sequence; `sourceNow` tells how far it has grown, `onChange` when. */
export function resultView(
  blobs: BlobStore,
  jobName: string,
  sourceNow: () => ResultSource,
  onChange: OnJobChange,
): ResultView {
  const source = sourceNow();
  const { contentType, extension } = FORMATS[source.format ?? 'csv'];
  const bytes = byteCount(source);
  const followed = (start: number, room: Room | null, signal: AbortSignal) =>
    follow({ blobs, sourceNow, onChange, room, signal }, start);
  return {
    bytes,
    complete: source.complete,
    contentType,
    filename: resultName(jobName, extension),
    etag: source.complete && source.identity !== null ? `"${source.identity}"` : null,
    check: (start, end) => checkBefore(source, start, Math.min(end, bytes)),
    stream: (start, end) => streamOf(blobs, source, start, Math.min(end, bytes)),
    follow: (start, signal) => Readable.from(followed(start, null, signal), { objectMode: false }),
    lend: (start, signal) => followed(start, reusedMemory(), signal),
  };
}

/**
 * Looks at what would end the answer at its beginning, and at what is known to be damaged. The rest
 * is looked at as it is sent.
 */
async function checkBefore(source: ResultSource, start: number, end: number): Promise<void> {
  if (start >= end) return;
  if (source.kind === 'pieces') {
    await source.pieces(start, end)[Symbol.asyncIterator]().next();
    return;
  }
  const { parts, damagedChunk } = source;
  if (parts === null) return;
  if (damagedChunk !== null) {
    const place = placeOfOutput(parts, damagedChunk);
    if (place.start < end && place.end > start) await parts.check(damagedChunk, false);
  }
  const first = chunkAt(parts, Math.max(start, parts.frame.header.length));
  if (first !== null && placeOfOutput(parts, first).start < end) await parts.check(first, true);
}

function byteCount(source: ResultSource): number {
  if (source.kind === 'pieces') return source.bytes;
  return source.parts === null ? 0 : resultByteCount(source.parts);
}

function streamOf(blobs: BlobStore, source: ResultSource, start: number, end: number): Readable {
  if (end <= start) return Readable.from([]);
  if (source.kind === 'pieces') {
    return Readable.from(source.pieces(start, end), { objectMode: false });
  }
  return source.parts === null ? Readable.from([]) : resultStream(blobs, source.parts, start, end);
}

interface Following {
  readonly blobs: BlobStore;
  readonly sourceNow: () => ResultSource;
  readonly onChange: OnJobChange;
  readonly room: Room | null;
  readonly signal: AbortSignal;
}

async function* follow(
  { blobs, sourceNow, onChange, room, signal }: Following,
  start: number,
): AsyncGenerator<Uint8Array> {
  let at = start;
  for (;;) {
    signal.throwIfAborted();
    const source = sourceNow();
    const end = byteCount(source);
    if (at < end) {
      for await (const piece of piecesOf(blobs, source, at, end, room)) {
        signal.throwIfAborted();
        yield piece;
      }
      at = end;
    } else if (source.complete) {
      return;
    } else {
      await nextChange(onChange, signal);
    }
  }
}

/** Resolves at the job's next change, when a while has passed, and when the signal fires. */
function nextChange(onChange: OnJobChange, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      stop();
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const stop = onChange(wake);
    const timer = setTimeout(wake, FOLLOW_POLL_MS);
    signal.addEventListener('abort', wake, { once: true });
  });
}

function piecesOf(
  blobs: BlobStore,
  source: ResultSource,
  start: number,
  end: number,
  room: Room | null,
): AsyncIterable<Uint8Array> {
  if (source.kind === 'pieces') return source.pieces(start, end);
  if (source.parts === null) return Readable.from([]);
  return resultPieces(blobs, source.parts, start, end, room);
}

/** One memory for all pieces: fresh megabytes for each would have the garbage collector run. */
function reusedMemory(): Room {
  let memory = new Uint8Array(0);
  return (byteCount) => {
    if (memory.length < byteCount) memory = Buffer.allocUnsafeSlow(byteCount);
    return memory.subarray(0, byteCount);
  };
}

/** Suggested name of a result's file. */
export function resultName(jobName: string, extension: string): string {
  return `${baseName(jobName)}.result.${extension}`;
}

/** The name without the endings that no longer say what is in it. */
function baseName(name: string): string {
  return name.replace(/(\.(csv|tsv|txt|json|jsonl|ndjson|gz|zst|br))+$/i, '') || 'sluice';
}
