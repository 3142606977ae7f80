import { expect, it } from 'vitest';
import type { InputCell } from '../../pipeline/aggregation/input-cell.ts';
import { TextListState } from '../../pipeline/aggregation/text-list-state.ts';
import { ByteReader } from '../../pipeline/values/byte-reader.ts';
import { ByteWriter } from '../../pipeline/values/byte-writer.ts';

const MEASURE = { function: 'string_agg', type: 'string', parameter: '' } as const;

function cellOf(text: string): InputCell {
  const bytes = Buffer.from(text);
  return { isNull: false, type: 'string', slice: { bytes, start: 0, end: bytes.length } } as never;
}

it('a string_agg holds millions of short texts, and hands them on as they came', () => {
  const state = new TextListState(MEASURE, null);
  const cell = cellOf('x');
  for (let i = 0; i < 1_500_000; i++) state.add(0, cell, i);
  expect(state.text(0)?.length).toBe(1_500_000);
  const writer = new ByteWriter();
  state.write(0, writer);
  const merged = new TextListState(MEASURE, null);
  merged.add(0, cellOf('-'), 0);
  merged.merge(0, new ByteReader(writer.written), 1);
  expect(Buffer.from(merged.text(0)!.subarray(0, 3)).toString()).toBe('-xx');
  expect(merged.positionsEnd).toBe(1_500_001);
});

it('texts that are too much are refused, with what can be done', () => {
  const state = new TextListState(MEASURE, null);
  const cell = cellOf('x'.repeat(2 ** 20));
  const add = (): void => {
    for (let i = 0; i < 64; i++) state.add(i, cell, i);
  };
  expect(add).toThrow(/more than 64 MiB at once.*Group by more columns/);
});
