import fc from 'fast-check';
import type { Column, ColumnType } from '../../pipeline/protocol/job.ts';

/** Cells of every type in all their spellings, and tables of them. */

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
const signed = (text: fc.Arbitrary<string>) =>
  fc.tuple(fc.constantFrom('', '', '-'), text).map((parts) => parts.join(''));
const decimals = (wholeMax: number, partMax: number) =>
  signed(fc.tuple(digits(wholeMax), digits(partMax)).map((parts) => parts.join('.')));
const amounts = fc
  .tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: 10, max: 99 }))
  .map(([whole, part]) => `${whole}.${part}`);
const oddNumbers = fc.constantFrom(
  ...['0', '-0', '-0.0', '0.0', '-', '1.', '.5', '-.5', '+1', '007', '00', '1e5', '1E-400', ' 5 '],
  ...['1e', '1.5e3', '2e999', '1.2.3', '9223372036854775807', '-9223372036854775808', '1.50'],
  ...['9223372036854775808', '999999999999999999', '0.999999999999999999', '9007199254740993'],
  ...['9007199254740992', '-9007199254740991', '0.000001', '123456789012345.6', '1.0', '7.00'],
  ...['92233720368547.75807', '0.0001', '0.00012', '1234567890123456', '100000000000000000'],
);
const numbers = fc.oneof(
  { weight: 4, arbitrary: amounts },
  fc.integer({ min: -9, max: 99 }).map(String),
  fc.maxSafeInteger().map(String),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  signed(digits(20)),
  decimals(4, 2),
  decimals(3, 16),
  decimals(12, 12),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  oddNumbers,
);
const integers = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -20, max: 20 }).map(String) },
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }).map(String),
  signed(digits(20)),
  oddNumbers,
);
const two = fc.integer({ min: 0, max: 61 }).map((value) => String(value).padStart(2, '0'));
const dates = fc
  .tuple(
    fc.constantFrom('0000', '0001', '0400', '1900', '1969', '1970', '2000', '2024', '9999'),
    fc.integer({ min: 0, max: 13 }),
    fc.integer({ min: 0, max: 32 }),
  )
  .map(([year, ...rest]) => [year, ...rest.map((part) => String(part).padStart(2, '0'))].join('-'));
const times = fc.oneof(
  dates,
  fc
    .tuple(
      ...[dates, fc.constantFrom(' ', ' ', 'T', 't'), fc.tuple(two, two, two)],
      fc.oneof(
        fc.constant(''),
        digits(11).map((fraction) => `.${fraction}`),
      ),
      fc.constantFrom('', '', 'Z', '+01', '-05:30', ' UTC'),
    )
    .map(([date, between, clock, part, zone]) => date + between + clock.join(':') + part + zone),
  fc.constantFrom('2024-02-29 10:00', '2024-1-2', '02/29/2024', 'soon'),
);
const texts = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', 'US', 'a\0', '\0', 'NA', 'true', 'false', 'TRUE', 't', '0'),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('é', '漢', '😀', '"', ','), maxLength: 8 }),
  fc
    .tuple(fc.constantFrom(12, 13, 14, 15, 16, 17, 31, 127, 128, 900, 1100), fc.nat({ max: 3 }))
    .map(([length, end]) => 'x'.repeat(length) + String(end)),
);

/** Two of texts, and one of every other type. */
export const COLUMNS: readonly Column[] = (
  ['string', 'string', 'integer', 'number', 'date', 'datetime', 'boolean'] as ColumnType[]
).map((type, i) => ({ name: `c${i}`, type }));
/** Values of one record. */
export const cells = fc.tuple(
  texts,
  fc.oneof({ weight: 5, arbitrary: numbers }, texts),
  integers,
  numbers,
  times,
  times,
  fc.constantFrom('true', 'false', 'TRUE', 'f', 'no', '1', 'maybe'),
);

/** A value as it stands in a file, quoted or not; sometimes not as RFC 4180 has it. */
function fieldOf(value: string, form: string): string {
  if (form === 'null') return '';
  if (form === 'nullstr') return 'NA';
  if (form === 'odd') return value.replaceAll(/[",\r\n]/g, '').replace(/(.)/u, '$1"');
  const isQuoted = form === 'quoted' || /[",\r\n]/.test(value);
  return isQuoted ? `"${value.replaceAll('"', '""')}"` : value;
}

const FORMS = ['bare', 'bare', 'bare', 'bare', 'bare', 'quoted', 'quoted', 'null', 'nullstr'];
const record = fc
  .tuple(cells, fc.array(fc.constantFrom(...FORMS, 'odd'), { minLength: 7, maxLength: 7 }))
  .map(([values, forms]) => values.map((value, i) => fieldOf(value, forms[i]!)).join(','));
/** Texts of records, in RFC 4180 but for some stray quotes; many come many times. */
export const tables = fc
  .tuple(fc.array(record, { maxLength: 60 }), fc.integer({ min: 1, max: 30 }), fc.boolean())
  .map(([records, times, isCrLf]) => {
    const end = isCrLf ? '\r\n' : '\n';
    return records
      .map((text) => text + end)
      .join('')
      .repeat(times);
  });
