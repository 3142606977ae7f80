import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DEFAULT_READ_OPTIONS } from '../../pipeline/dialect/read-options.ts';
import { sniffInput } from '../../pipeline/dialect/sniff.ts';
import { runs } from '../support/runs.ts';

const word = fc.constantFrom('red', 'Berlin', 'Ana', 'value', 'the', 'quick', 'Straße', 'naïve');
const words = (least: number, most: number, by: string) =>
  fc.array(word, { minLength: least, maxLength: most }).map((all) => all.join(by));
const digits = (least: number, most: number) => fc.integer({ min: least, max: most }).map(String);
const two = digits(10, 28);

/** What columns of real tables hold; much of it has the delimiters of others in it. */
const CELLS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  count: digits(0, 9999),
  decimal: fc.double({ min: 0, max: 999, noNaN: true }).map((value) => value.toFixed(2)),
  comma: fc.tuple(digits(0, 999), two).map((parts) => parts.join(',')),
  day: two.map((day) => `2024-01-${day}`),
  slashes: two.map((day) => `${day}/01/2024`),
  moment: fc.tuple(two, two).map(([hour, minute]) => `2024-01-05 ${hour}:${minute}:00`),
  clock: fc.tuple(two, two).map((parts) => parts.join(':')),
  name: words(2, 2, ' '),
  sentence: words(3, 9, ' ').map((text) => `${text}, ok; so.`),
  list: fc.constantFrom(';', '|', ',', ', ').chain((by) => words(1, 4, by)),
  triple: words(3, 3, ';'),
  mail: word.map((text) => `${text}@example.org`),
  link: word.map((text) => `https://example.org/${text}?a=1&b=2`),
  money: digits(1, 999).map((amount) => `$${amount}.50`),
  sparse: fc.option(digits(0, 99), { nil: '' }),
  phone: digits(1000, 9999).map((number) => `+49 30 ${number}`),
  inches: digits(1, 9).map((size) => `${size}" disk`),
  owner: word.map((text) => `${text}'s`),
  json: digits(1, 9).map((value) => `{"a":${value},"b":"x"}`),
  point: fc.tuple(two, two).map(([a, b]) => `${a}.25, ${b}.75`),
};

const table = fc
  .array(fc.constantFrom(...Object.keys(CELLS)), { minLength: 2, maxLength: 8 })
  .chain((kinds) =>
    fc.record({
      names: fc.constant(kinds.map((kind, column) => `${kind}_${column}`)),
      records: fc.array(fc.tuple(...kinds.map((kind) => CELLS[kind]!)), {
        minLength: 2,
        maxLength: 30,
      }),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      isQuoted: fc.boolean(),
    }),
  );

it('a table with a header and several columns is found again, whatever is in its cells', () => {
  const found = fc.property(table, ({ names, records, delimiter, isQuoted }) => {
    const quoted = (cell: string): string =>
      (isQuoted && cell !== '') || cell.includes(delimiter) || cell.includes('"')
        ? `"${cell.replaceAll('"', '""')}"`
        : cell;
    const lines = [names, ...records].map((cells) => cells.map(quoted).join(delimiter));
    const sniffed = sniffInput(Buffer.from(lines.join('\n')), true, DEFAULT_READ_OPTIONS);
    expect(sniffed.input.columns.map(({ name }) => name)).toEqual(names);
    const shown = records.slice(0, 20).map((cells) => cells.map((cell) => cell || null));
    expect(sniffed.records).toEqual(shown);
  });
  fc.assert(found, { numRuns: runs(400) });
});
