import pLimit from 'p-limit';
import { invariant } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { Reject } from '../../pipeline/protocol/index.ts';
import type { OutputMap } from '../../pipeline/reassembly/output-map.ts';
import {
  rebaseReject,
  type ChunkBase,
  type ChunkPlace,
  type OriginBase,
} from '../../pipeline/reassembly/rebase-reject.ts';
import {
  decodeRejects,
  rawText,
  type RelativeReject,
} from '../../pipeline/result/relative-reject.ts';
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
  /** The first wave to which groups came, or joined records. */
  readonly derivedFrom: number;
  /** Reads what a chunk has stored: whoever is told of damage is told here. */
  readonly read: <T>(chunk: number, work: () => Promise<T>) => Promise<T>;
}

/**
 * Rejects `[offset, offset + limit)`, wave by wave and in file order, with their places in the whole
 * input, and as they stood there. Groups have neither: their wave counts the records that come to it.
 * Joined records have their places, and stand as they came.
 */
export async function readRejects(
  source: RejectSource,
  offset: number,
  limit: number,
): Promise<Reject[]> {
  const { map } = source;
  const reading = pLimit(LIMITS.exchangeReadsMax);
  const rejects: Reject[] = [];
  while (rejects.length < limit) {
    const place = map.locateReject(offset + rejects.length);
    if (place === null) break;
    const chunk = rowOf(source, place.chunk);
    const ofChunk = await source.read(chunk.index, () => rejectsOf(source, chunk));
    const wanted = ofChunk.slice(place.within, place.within + limit - rejects.length);
    invariant(wanted.length > 0, 'a result holds the rejects its statistics say');
    const base = baseOf(source, chunk);
    const ofInput = wanted.map(async (reject) =>
      rebaseReject(reject, base, await reading(() => originOf(source, reject, base))),
    );
    rejects.push(...(await Promise.all(ofInput)));
  }
  return rejects;
}

function rowOf({ chunkOf }: RejectSource, index: number): ChunkRecord {
  const chunk = chunkOf(index);
  invariant(chunk !== null, 'a merged chunk has a row');
  return chunk;
}

async function rejectsOf({ blobs }: RejectSource, chunk: ChunkRecord): Promise<RelativeReject[]> {
  const name = `results/${chunk.taskKey}`;
  const head = readResultHead(await blobs.getRange(name, 0, RESULT_HEAD_BYTES));
  const { start, end } = head.sections.rejects;
  return decodeRejects(decodeSection(head, 'rejects', await blobs.getRange(name, start, end)));
}

function baseOf(source: RejectSource, chunk: ChunkRecord): ChunkBase {
  const { map, starts, derivedFrom } = source;
  const beforeWave = map.before(starts[chunk.wave] ?? 0).recordsIn;
  return {
    ...{ chunk: chunk.index, wave: chunk.wave, derived: chunk.wave >= derivedFrom },
    recordsBefore: map.before(chunk.index).recordsIn - beforeWave,
    place: chunk.wave > 0 ? null : placeOf(chunk),
  };
}

function placeOf({ line, byteOffset }: ChunkRecord): ChunkPlace {
  return { linesBefore: line, byteOffset };
}

/** What the input says of a record that was rejected in a later wave. */
async function originOf(
  source: RejectSource,
  { origin }: RelativeReject,
  { derived }: ChunkBase,
): Promise<OriginBase | null> {
  if (origin === undefined) return null;
  const chunk = rowOf(source, origin.chunk);
  const { byteOffset: start, bytes } = origin;
  const name = `chunks/${chunk.chunkKey}`;
  const raw = derived ? null : rawText(await source.blobs.getRange(name, start, start + bytes));
  return { recordsBefore: source.map.before(chunk.index).recordsIn, place: placeOf(chunk), raw };
}
