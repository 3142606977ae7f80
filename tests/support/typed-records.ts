import fc from 'fast-check';
import type { ColumnType } from '../../pipeline/protocol/job.ts';

/** Columns of the records below: `id` counts them. */
export const RECORD_TYPES: Readonly<Record<string, ColumnType>> = {
  ...{ id: 'integer', t: 'string', i: 'integer', n: 'number', b: 'boolean' },
  ...{ d: 'date', s: 'datetime' },
};

const day = fc
  .integer({ min: 0, max: 40_000 })
  .map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10));
const cells: Readonly<Record<string, fc.Arbitrary<string>>> = {
  t: fc.oneof(
    fc.constantFrom('', 'a', 'A', 'ab', '"a,b"', '"q""z"', 'é', 'z', '日本', '😀', '\uffee', ' a'),
    fc.string({ unit: 'binary', maxLength: 3 }).map(quoted),
    fc.constantFrom('long', 'lone').map((text) => text.repeat(40)),
  ),
  i: fc.oneof(
    fc.integer({ min: -3, max: 3 }).map(String),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    fc.constantFrom('', '007', '9007199254740993', '9007199254740992', '-9223372036854775808'),
  ),
  n: fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.constantFrom('', '-0.0', '0', '1.5', '1.50', '-1e-300', '1e300', '5e-324', '10', '9'),
  ),
  b: fc.constantFrom('', 'true', 'false', 'T', 'no'),
  d: fc.oneof(day, fc.constantFrom('', '1969-12-31', '0001-01-01', '9999-12-31')),
  s: fc.oneof(
    day.map((text) => `${text} 12:00:00.000001`),
    fc.constantFrom('', '2020-01-01 00:00:00', '2020-01-01 00:00:00.5', '1500-01-01 00:00:00'),
  ),
};
const header = Object.keys(RECORD_TYPES).join(',');

/** CSV of records with cells of every type, few different ones and many. */
export const typedRecords: fc.Arbitrary<string> = fc
  .array(fc.tuple(...Object.values(cells)), { maxLength: 60 })
  .map((records) =>
    [header, ...records.map((record, i) => `${String(i + 1)},${record.join(',')}`), ''].join('\n'),
  );

/** Bounds so small that there are many partitions, blocks and records of equal keys in several, and
 *  that outputs are gathered in several levels. */
export const tinyLimits = fc
  .tuple(fc.constantFrom(1, 40, 200), fc.constantFrom(1, 60, 500), fc.constantFrom(1024, 1024, 6))
  .map(([blockBytes, partitionBytes, fanInMax]) => ({
    ...{ fanInMax, gatheredFanInMax: 3, gatheredBlockBytes: 2 * blockBytes },
    ...{ blockBytes, partitionBytes, partitionBytesMax: partitionBytes, taskBytesMax: 1e6 },
  }));

/** What DuckDB reads as the writer meant: no NUL and no line end. */
function quoted(text: string): string {
  const plain = text.replaceAll('\0', '').replace(/[\r\n]/g, '');
  return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
