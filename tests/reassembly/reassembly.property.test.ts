import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OutputMap } from '../../pipeline/reassembly/output-map.ts';
import { rebaseReject } from '../../pipeline/reassembly/rebase-reject.ts';

describe('the output map', () => {
  const count = fc.oneof(fc.constant(0), fc.nat({ max: 5 }));
  const entry = fc.record({
    ...{ outputBytes: count, outputRecords: count, rejected: count },
    ...{ recordsIn: count, lines: count, bytesIn: count },
  });

  test('finds the chunk of every byte, record and reject', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 100 }), (entries) => {
        const map = new OutputMap();
        entries.forEach((chunk, index) => map.append(index, chunk));
        const places = (measure: 'outputBytes' | 'outputRecords' | 'rejected') =>
          entries.flatMap((chunk, index) =>
            Array.from({ length: chunk[measure] }, (_, within) => ({ chunk: index, within })),
          );
        const bytes = places('outputBytes');
        const records = places('outputRecords');
        const rejects = places('rejected');
        expect(bytes.map((_, i) => map.locate(i))).toEqual(bytes);
        expect(records.map((_, i) => map.locateRecord(i))).toEqual(records);
        expect(rejects.map((_, i) => map.locateReject(i))).toEqual(rejects);
        expect([map.locate(bytes.length), map.locate(-1), map.locateRecord(NaN)]).toEqual([
          null,
          null,
          null,
        ]);
        expect(map.totals().outputBytes).toBe(bytes.length);
        expect(entries.map((_, index) => map.entry(index))).toEqual(entries);
      }),
    );
  });

  test('takes chunks in file order only, each once', () => {
    const map = new OutputMap();
    const none = { outputBytes: 1, outputRecords: 1, rejected: 0, recordsIn: 1, lines: 1 };
    map.append(0, { ...none, bytesIn: 1 });
    expect(() => map.append(0, { ...none, bytesIn: 1 })).toThrow('file order');
    expect(() => map.append(2, { ...none, bytesIn: 1 })).toThrow('file order');
  });
});

test('a reject gets its place in the whole input, counted from 1', () => {
  const relative = {
    ...{ record: 0, line: 2, byteOffset: 5, column: 1, columnName: 'b', step: 3 },
    ...{ code: 'type-error', message: 'm', raw: 'r', rawEncoding: 'utf-8' as const },
  };
  const place = { linesBefore: 101, byteOffset: 2000 };
  const base = { chunk: 4, wave: 0, recordsBefore: 100, derived: false, place };
  expect(rebaseReject(relative, base)).toEqual({
    ...relative,
    ...{ record: 101, line: 104, byteOffset: 2005, chunk: 4, wave: 0, derived: false },
  });
  const later = { ...base, wave: 1, place: null };
  expect(rebaseReject(relative, { ...later, derived: true })).toEqual({
    ...relative,
    ...{ record: 101, line: null, byteOffset: null, chunk: 4, wave: 1, derived: true },
  });
  const origin = { chunk: 2, record: 7, line: 9, byteOffset: 11, bytes: 3 };
  const raw = { raw: 'xyz', rawEncoding: 'utf-8' as const };
  expect(rebaseReject({ ...relative, origin }, later, { recordsBefore: 50, place, raw })).toEqual({
    ...{ ...relative, ...raw, record: 58, line: 111, byteOffset: 2011 },
    ...{ chunk: 4, wave: 1, derived: false },
  });
});
