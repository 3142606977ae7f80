import { isDeepStrictEqual } from 'node:util';
import { SluiceError } from '../../pipeline/errors.ts';
import { decodeSection, readResultHead } from '../../pipeline/result/result-format.ts';
import type { SectionName } from '../../pipeline/result/result-format.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { ChunkRecord } from '../storage/job-record.ts';

/** Read at once: the head, and all of the result of most aggregates. */
const BEGINNING_BYTES = 16 * 1024;

/** The partial of the result that was announced. Throws `blob-corrupt`, `blob-missing`. */
export function readPartial(blobs: BlobStore, chunk: ChunkRecord): Promise<Uint8Array> {
  return readSection(blobs, chunk, 'partial');
}

/** The index of the result that was announced, for the wave after it. Errors as `readPartial`. */
export function readExchange(blobs: BlobStore, chunk: ChunkRecord): Promise<Uint8Array> {
  return readSection(blobs, chunk, 'exchange');
}

async function readSection(
  blobs: BlobStore,
  { taskKey, statistics }: ChunkRecord,
  section: SectionName,
): Promise<Uint8Array> {
  const name = `results/${taskKey}`;
  const beginning = await blobs.getRange(name, 0, BEGINNING_BYTES);
  const head = readResultHead(beginning);
  if (statistics === null || !isDeepStrictEqual(head.statistics, statistics)) {
    throw new SluiceError('blob-corrupt', `${name} is not the result that was announced`);
  }
  const { start, end } = head.sections[section];
  const bytes =
    end > start && end > beginning.length
      ? await blobs.getRange(name, start, end)
      : beginning.subarray(start, end);
  return decodeSection(head, section, bytes);
}
