import { isUtf8 } from 'node:buffer';
import type { CutChunk } from '../../pipeline/chunking/chunker.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { ChunkStatistics } from '../../pipeline/protocol/index.ts';
import { encodeResult } from '../../pipeline/result/result-format.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';

/**
 * A record longer than a chunk may be never reaches a worker: ingest writes its result, one
 * reject with the record's place, length and first bytes. With `on_error: fail` it ends the job.
 */
export async function storeOversizedResult(
  blobs: BlobStore,
  onError: ChunkContext['onError'],
  cut: CutChunk,
  taskKey: string,
): Promise<void> {
  const message =
    `the record has ${cut.fullBytes} bytes, more than ${LIMITS.recordBytesMax}: ` +
    'is a quote opened and never closed?';
  if (onError === 'fail') {
    throw new SluiceError('input-malformed', `Line ${cut.line + 1}: ${message}`, {
      details: { line: cut.line + 1, byteOffset: cut.byteOffset, bytes: cut.fullBytes },
    });
  }
  const readable = isUtf8(cut.bytes);
  const reject = {
    ...{ record: 0, line: 0, byteOffset: 0, column: null, columnName: null, step: null },
    code: 'record-too-large',
    message,
    raw: Buffer.from(cut.bytes).toString(readable ? 'utf8' : 'latin1'),
    rawEncoding: readable ? 'utf-8' : 'latin-1',
  };
  const statistics: ChunkStatistics = {
    recordsIn: 1,
    recordsOut: 0,
    rejected: 1,
    filtered: 0,
    deduplicated: 0,
    aggregated: 0,
    lines: cut.lines,
    bytesIn: cut.fullBytes,
    outputRecords: 0,
    outputBytes: 0,
  };
  await blobs.put(
    `results/${taskKey}`,
    encodeResult({
      statistics,
      output: [],
      rejects: Buffer.from(`${JSON.stringify(reject)}\n`),
      partial: new Uint8Array(0),
      exchange: new Uint8Array(0),
    }),
  );
}
