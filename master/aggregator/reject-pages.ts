import { invariant } from '../../pipeline/errors.ts';
import type { Reject } from '../../pipeline/protocol/index.ts';
import type { OutputMap } from '../../pipeline/reassembly/output-map.ts';
import { rebaseReject } from '../../pipeline/reassembly/rebase-reject.ts';
import { decodeRejects } from '../../pipeline/result/relative-reject.ts';
import {
  decodeSection,
  readResultHead,
  RESULT_HEAD_BYTES,
} from '../../pipeline/result/result-format.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { ChunkRecord } from '../storage/job-record.ts';

/** Where a job's rejects are. */
export interface RejectSource {
  readonly blobs: BlobStore;
  readonly map: OutputMap;
  readonly chunkOf: (index: number) => ChunkRecord | null;
  /** Index of each wave's first chunk. */
  readonly starts: readonly number[];
  /** Reads what a chunk has stored: whoever is told of damage is told here. */
  readonly read: (chunk: number, work: () => Promise<Reject[]>) => Promise<Reject[]>;
}

/**
 * Rejects `[offset, offset + limit)`, wave by wave and in file order. Those of the first wave have
 * their places in the whole input; a later wave counts the records that come to it.
 */
export async function readRejects(
  source: RejectSource,
  offset: number,
  limit: number,
): Promise<Reject[]> {
  const { map, chunkOf } = source;
  const rejects: Reject[] = [];
  while (rejects.length < limit) {
    const place = map.locateReject(offset + rejects.length);
    if (place === null) break;
    const chunk = chunkOf(place.chunk);
    invariant(chunk !== null, 'a merged chunk has a row');
    const ofChunk = await source.read(chunk.index, () => rejectsOf(source, chunk));
    const wanted = ofChunk.slice(place.within, place.within + limit - rejects.length);
    invariant(wanted.length > 0, 'a result holds the rejects its statistics say');
    rejects.push(...wanted);
  }
  return rejects;
}

async function rejectsOf(
  { blobs, map, starts }: RejectSource,
  chunk: ChunkRecord,
): Promise<Reject[]> {
  const name = `results/${chunk.taskKey}`;
  const head = readResultHead(await blobs.getRange(name, 0, RESULT_HEAD_BYTES));
  const { start, end } = head.sections.rejects;
  const section = decodeSection(head, 'rejects', await blobs.getRange(name, start, end));
  const beforeWave = map.before(starts[chunk.wave] ?? 0).recordsIn;
  const base = {
    chunk: chunk.index,
    wave: chunk.wave,
    recordsBefore: map.before(chunk.index).recordsIn - beforeWave,
    place: chunk.wave > 0 ? null : { linesBefore: chunk.line, byteOffset: chunk.byteOffset },
  };
  return decodeRejects(section).map((reject) => rebaseReject(reject, base));
}
