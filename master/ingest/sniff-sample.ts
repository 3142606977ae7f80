import { constants, gunzipSync } from 'node:zlib';
import { detectCompression } from '../../pipeline/dialect/compression.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { PlanDocument } from '../../pipeline/plan/schema.ts';
import type { SniffAnswer } from '../../pipeline/protocol/index.ts';
import { openInput } from './open-input.ts';
import { readOptionsOf } from './read-options.ts';

/**
 * What a file is, from its first bytes. `complete` says that the sample is the whole file; else its
 * end may be cut anywhere: the last record, and the last member of a gzip file, are then left out.
 */
export async function sniffSample(
  sample: Uint8Array,
  complete: boolean,
  plan: PlanDocument,
): Promise<SniffAnswer> {
  const compression = detectCompression(sample, plan.read.compression);
  const plainText = compression === 'gzip' && !complete ? gunzipPart(sample) : sample;
  const source = sampleSource(plainText, complete);
  const stated = readOptionsOf(plan);
  const read = plainText === sample ? stated : { ...stated, compression: 'none' };
  const { sniffed } = await openInput(source, read, null);
  return {
    input: { ...sniffed.input, columns: [...sniffed.input.columns], compression },
    records: sniffed.records.map((record) => [...record]),
    sampleBytes: sample.length,
    warnings: [...sniffed.warnings],
  };
}

async function* sampleSource(text: Uint8Array, complete: boolean): AsyncIterable<Uint8Array> {
  const whole = complete ? text : text.subarray(0, lastLineEnd(text) ?? text.length);
  await Promise.resolve();
  for (let at = 0; at < whole.length; at += LIMITS.sniffBytesMax) {
    yield whole.subarray(at, at + LIMITS.sniffBytesMax);
  }
}

function lastLineEnd(text: Uint8Array): number | null {
  const at = Math.max(text.lastIndexOf(0x0a), text.lastIndexOf(0x0d));
  return at <= 0 ? null : at + 1;
}

function gunzipPart(sample: Uint8Array): Uint8Array {
  try {
    return gunzipSync(sample, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: LIMITS.decompressionFreeBytes,
    });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SluiceError('input-compression', `the gzip data cannot be read: ${reason}`, {
      cause: thrown,
    });
  }
}
