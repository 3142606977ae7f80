import { isDeepStrictEqual } from 'node:util';
import { SluiceError } from '../../pipeline/errors.ts';
import {
  decodeSection,
  readResultHead,
  RESULT_HEAD_BYTES,
} from '../../pipeline/result/result-format.ts';
import type { SectionName } from '../../pipeline/result/result-format.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { ChunkRecord } from '../storage/job-record.ts';

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
  const head = readResultHead(await blobs.getRange(name, 0, RESULT_HEAD_BYTES));
  if (statistics === null || !isDeepStrictEqual(head.statistics, statistics)) {
    throw new SluiceError('blob-corrupt', `${name} is not the result that was announced`);
  }
  const { start, end } = head.sections[section];
  const bytes = end > start ? await blobs.getRange(name, start, end) : new Uint8Array(0);
  return decodeSection(head, section, bytes);
}
