import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { RESULT_PIECE_BYTES } from '../../pipeline/integrity/output-pieces.ts';
import type { OutputPart } from '../../pipeline/protocol/index.ts';
import { readResultHead, RESULT_HEAD_BYTES } from '../../pipeline/result/result-format.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import { placeOfOutput } from './result-bytes.ts';
import type { ResultParts } from './result-bytes.ts';

/** Heads read at once: enough that a store far away is not waited for one by one. */
const HEADS_AT_ONCE = 16;
/** Heads that are asked for before the first of them is there. */
const HEADS_PER_BATCH = 1_024;

/**
 * The parts of a finished result that is read from its chunks: header, outputs, footer. Reads the
 * head of each stored result, through `read`. Errors: `blob-corrupt`, `blob-missing`, the store's.
 */
export async function chunkedParts(
  blobs: BlobStore,
  parts: ResultParts,
  read: (chunk: number, work: () => Promise<OutputPart>) => Promise<OutputPart>,
): Promise<OutputPart[]> {
  const { frame, map } = parts;
  const made: OutputPart[] = [];
  const total = map.totals().outputRecords;
  if (frame.header.length > 0) made.push(framePart('header', 0, frame.header, 0));
  const limit = pLimit(HEADS_AT_ONCE);
  for (let from = 0; from < map.count; from += HEADS_PER_BATCH) {
    const end = Math.min(from + HEADS_PER_BATCH, map.count);
    const batch = Array.from({ length: end - from }, (_, at) => from + at);
    const wanted = batch.filter((chunk) => map.entry(chunk).outputBytes > 0);
    const one = (chunk: number) => read(chunk, () => chunkPart(blobs, parts, chunk));
    made.push(...(await Promise.all(wanted.map((chunk) => limit(() => one(chunk))))));
  }
  const bodyEnd = made.at(-1)?.end ?? 0;
  if (frame.footer.length > 0) made.push(framePart('footer', bodyEnd, frame.footer, total));
  return made;
}

/** The parts of a result that is stored as one object of `bytes`. */
export function wholeParts(bytes: number, hashes: readonly string[]): OutputPart[] {
  return hashes.map((sha256, piece): OutputPart => {
    const start = piece * RESULT_PIECE_BYTES;
    const end = Math.min(bytes, start + RESULT_PIECE_BYTES);
    return { kind: 'piece', chunk: null, start, end, firstRecord: null, records: null, sha256 };
  });
}

async function chunkPart(blobs: BlobStore, parts: ResultParts, chunk: number): Promise<OutputPart> {
  const name = `results/${parts.taskKeyOf(chunk)}`;
  const head = readResultHead(await blobs.getRange(name, 0, RESULT_HEAD_BYTES));
  const { start, end } = placeOfOutput(parts, chunk);
  const firstRecord = parts.map.before(chunk).outputRecords;
  const records = parts.map.entry(chunk).outputRecords;
  const { sha256 } = head.sections.output;
  return { kind: 'chunk', chunk, start, end, firstRecord, records, sha256 };
}

function framePart(
  kind: 'header' | 'footer',
  start: number,
  bytes: Uint8Array,
  firstRecord: number,
): OutputPart {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const place = { start, end: start + bytes.length };
  return { kind, chunk: null, ...place, firstRecord, records: 0, sha256 };
}
