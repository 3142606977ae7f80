import {
  type Compression,
  detectCompression,
  type UnmarkedCompression,
} from '../../pipeline/dialect/compression.ts';
import { createDecompressor } from '../../pipeline/dialect/decompressor.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { PlanDocument } from '../../pipeline/plan/schema.ts';
import type { SniffAnswer } from '../../pipeline/protocol/index.ts';
import { openInput } from './open-input.ts';
import { readOptionsOf } from './read-options.ts';

/**
 * What a file is, from its first bytes. `complete` says that the sample is the whole file; else its
 * end may be cut anywhere: the last record is then left out.
 */
export async function sniffSample(
  sample: Uint8Array,
  complete: boolean,
  plan: PlanDocument,
  compressionHint: UnmarkedCompression | null = null,
): Promise<SniffAnswer> {
  const compression = detectCompression(sample, plan.read.compression, compressionHint);
  const isPart = compression !== 'none' && !complete;
  const plainText = isPart ? await decompressPart(sample, compression) : sample;
  const source = sampleSource(plainText, complete);
  const stated = readOptionsOf(plan);
  const read = plainText === sample ? stated : { ...stated, compression: 'none' };
  const { sniffed } = await openInput(source, read, null, compressionHint);
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

/** What the beginning of compressed data holds, as far as sniffing looks. */
function decompressPart(
  sample: Uint8Array,
  compression: Exclude<Compression, 'none'>,
): Promise<Uint8Array> {
  const decompressor = createDecompressor(compression);
  const parts: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const finish = (): void => resolve(Buffer.concat(parts));
    decompressor.on('data', (part: Buffer) => {
      parts.push(part);
      bytes += part.length;
      if (bytes >= LIMITS.sniffBytesMax) decompressor.destroy();
    });
    // Where the sample is cut; of what gave nothing it is the reason.
    decompressor.on('error', (error) => (bytes === 0 ? reject(error) : finish()));
    decompressor.on('close', finish).end(sample);
  });
}
