import type { AggregateShape, MeasureShape } from '../aggregation/shape.ts';
import type { HeldValue } from '../aggregation/value-counts.ts';
import type { ColumnType } from '../protocol/job.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { verify } from './entries.ts';
import { EntryWriter, NO_KEY } from './entry-writer.ts';
import { encodeGroupIndex } from './portions.ts';
import { emptyMeasures, GroupRecord, quantileOf } from './reduce-values.ts';
import { readValue } from './value-entries.ts';
import { fromBase64, type WaveDocument } from './wave-document.ts';

/**
 * Finds a quantile among values that stand in portions: an entry of its group that knows nothing else.
 * Throws `blob-corrupt` with the name of the slice.
 */
export function pickValue(
  { key, measure, count, first, slices }: Extract<WaveDocument, { kind: 'pick' }>,
  portions: readonly Uint8Array[],
  shape: AggregateShape,
  blockBytes: number,
): { readonly output: Uint8Array[]; readonly exchange: Uint8Array } {
  slices.forEach((slice, i) => verify(slice, portions[i] ?? NO_KEY));
  const about = shape.measures[measure] as MeasureShape & { readonly type: ColumnType };
  const values = valuesOf(portions, about.type);
  const found = quantileOf(values, about, count, first, (held) => held.count);
  const record = new ByteWriter();
  record.byte(GroupRecord.part);
  record.block(NO_KEY);
  emptyMeasures(shape).forEach((none, m) => record.raw(m === measure ? found : none));
  const written = record.finish();
  const keyBytes = fromBase64(key);
  const writer = new EntryWriter(blockBytes);
  writer.add(keyBytes, 0, keyBytes.length, written, 0, written.length);
  const { output, index } = writer.finish(keyBytes);
  return { output, exchange: encodeGroupIndex(index, []) };
}

function* valuesOf(portions: readonly Uint8Array[], type: ColumnType): Generator<HeldValue> {
  for (const portion of portions) {
    const reader = new ByteReader(portion);
    while (!reader.done) yield readValue(reader, type);
  }
}
