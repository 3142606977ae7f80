import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../pipeline/parsing/dialect.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import {
  isStructural,
  StructuralTokenizer,
} from '../../pipeline/parsing/structural/structural-tokenizer.ts';
import { Tokenizer } from '../../pipeline/parsing/tokenizer.ts';
import type { TokenizerOptions } from '../../pipeline/parsing/tokenizer.ts';
import { builtKernel } from '../support/kernel.ts';
import { runs } from '../support/runs.ts';

const kernel = builtKernel();

interface Seen {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly flags: number;
  readonly fields: readonly (readonly [number, number])[];
}

function collect(
  read: (at: number, index: ReturnType<typeof createRecordIndex>) => number,
  end: number,
) {
  const seen: Seen[] = [];
  const index = createRecordIndex();
  for (let at = 0; at < end;) {
    const next = read(at, index);
    for (let r = 0; r < index.recordCount; r++) {
      const fields: [number, number][] = [];
      for (let f = index.recordFields[r] ?? 0; f < (index.recordFields[r + 1] ?? 0); f++) {
        fields.push([index.fieldStarts[f] ?? -1, index.fieldEnds[f] ?? -1]);
      }
      seen.push({
        start: index.recordStarts[r] ?? -1,
        end: index.recordEnds[r] ?? -1,
        line: index.recordLines[r] ?? -1,
        flags: index.recordFlags[r] ?? -1,
        fields,
      });
    }
    if (next === at) break;
    at = next;
  }
  return seen;
}

function scalar(bytes: Uint8Array, dialect: Dialect, options: TokenizerOptions) {
  const tokenizer = new Tokenizer(dialect, options);
  const seen = collect(
    (at, index) => tokenizer.tokenize(bytes, at, bytes.length, true, index),
    bytes.length,
  );
  return { seen, lines: tokenizer.lines };
}

function structural(
  bytes: Uint8Array,
  dialect: Dialect,
  options: TokenizerOptions,
  recordsMax: number,
  regionBytes: number,
) {
  const tokenizer = new StructuralTokenizer(dialect, options, kernel, recordsMax, regionBytes);
  tokenizer.load(bytes);
  const seen = collect((at, index) => readRegion(tokenizer, bytes, at, index), bytes.length);
  return { seen, lines: tokenizer.lines };
}

/** Tokenizes on, with the lines of the records. */
function readRegion(
  tokenizer: StructuralTokenizer,
  bytes: Uint8Array,
  at: number,
  index: ReturnType<typeof createRecordIndex>,
): number {
  const next = tokenizer.tokenize(bytes, at, index);
  tokenizer.listLines();
  return next;
}

const options = fc.constantFrom<TokenizerOptions>(
  { skipBlankLines: 'always' },
  { skipBlankLines: 'never' },
);

/** Text that is mostly regular, with quoted fields that hold everything. */
const regularText = fc
  .array(
    fc.array(
      fc.oneof(
        fc.stringMatching(/^[a-z0-9 é]{0,30}$/),
        fc
          .array(fc.constantFrom('a', '""', ',', '\n', '\r\n', '\r', 'b c', 'ü'), { maxLength: 30 })
          .map((parts) => `"${parts.join('')}"`),
      ),
      { minLength: 1, maxLength: 8 },
    ),
    { maxLength: 60 },
  )
  .chain((records) =>
    fc
      .tuple(fc.constantFrom('\n', '\r\n', '\r'), fc.boolean())
      .map(([end, last]) => records.map((one) => one.join(',')).join(end) + (last ? end : '')),
  );

/** Two fields a record, the second quoted. */
const evenText = fc
  .array(
    fc.tuple(
      fc.stringMatching(/^[a-z0-9 é]{0,30}$/),
      fc.array(fc.constantFrom('a', '""', ',', '\n', '\r\n', '\r', 'ü'), { maxLength: 30 }),
    ),
    { minLength: 1, maxLength: 60 },
  )
  .chain((records) =>
    fc
      .tuple(fc.constantFrom('\n', '\r\n', '\r'), fc.boolean())
      .map(
        ([end, last]) =>
          records.map(([one, other]) => `${one},"${other.join('')}"`).join(end) + (last ? end : ''),
      ),
  );

/** Stretches of tens of kilobytes each, with and without quotes and returns. */
const longText = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'a,bcd\n',
        'é,1234567\n',
        'a,"b\n,c"\n',
        'a,b\r\n',
        '"",\r',
        'a',
        '"',
        'a"b\n',
      ),
      fc.integer({ min: 1, max: 9000 }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((stretches) => stretches.map(([text, times]) => text.repeat(times)).join(''));

const anyText = fc
  .array(fc.constantFrom('a', 'bc', '"', ',', '\n', '\r', '\r\n', '""', 'é', ',"', '",'), {
    maxLength: 300,
  })
  .map((parts) => parts.join(''));

describe('StructuralTokenizer', () => {
  it('reads what the scalar tokenizer reads, at any region size', () => {
    fc.assert(
      fc.property(
        fc.oneof(regularText, anyText),
        options,
        fc.integer({ min: 70, max: 300 }),
        fc.constantFrom(1, 3, 64, 65, 100, 1000, 131072),
        (text, option, recordsMax, regionBytes) => {
          const bytes = new TextEncoder().encode(text);
          expect(structural(bytes, RFC_4180, option, recordsMax, regionBytes)).toEqual(
            scalar(bytes, RFC_4180, option),
          );
        },
      ),
      { numRuns: runs(1500) },
    );
  });

  it('reads what the scalar tokenizer reads where quotes and returns begin and end', () => {
    fc.assert(
      fc.property(longText, fc.constantFrom(100, 4096, 40_000), (text, recordsMax) => {
        const bytes = new TextEncoder().encode(text);
        const option = { skipBlankLines: 'always' } as const;
        const read = structural(bytes, RFC_4180, option, recordsMax, 131_072);
        const expected = scalar(bytes, RFC_4180, option);
        // Comparing so many objects one by one would take most of the time.
        expect(read.lines).toBe(expected.lines);
        expect(JSON.stringify(read.seen) === JSON.stringify(expected.seen)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('reads bytes that are not UTF-8, and other delimiters and quotes, as the scalar one does', () => {
    const dialect: Dialect = { ...RFC_4180, delimiter: '\t', quote: "'", escape: "'" };
    const bare: Dialect = { ...RFC_4180, delimiter: ';', quote: '', escape: '' };
    const byte = fc.constantFrom(...[0x61, 0x09, 0x27, 0x0a, 0x0d, 0xc3, 0xa9, 0xff, 0x00, 0x3b]);
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 400 }), options, (list, option) => {
        const bytes = Uint8Array.from(list);
        for (const one of [dialect, bare]) {
          expect(isStructural(one)).toBe(true);
          expect(structural(bytes, one, option, 100, 128)).toEqual(scalar(bytes, one, option));
        }
      }),
      { numRuns: runs(1000) },
    );
  });

  it('counts records where all are alike, and only there, at any region size', () => {
    let allCounted = 0;
    fc.assert(
      fc.property(
        fc.oneof(regularText, evenText, anyText, fc.string({ unit: 'binary' })),
        fc.constantFrom(1, 2, 3),
        fc.constantFrom(1, 64, 65, 1000, 131072),
        fc.boolean(),
        (text, columnCount, regionBytes, isDamaged) => {
          const bytes = new TextEncoder().encode(text);
          if (isDamaged && bytes.length > 0) bytes[bytes.length >> 1] = 0xff;
          // As in CsvRecordSource: in a table of one column a blank line is a record.
          const option = { skipBlankLines: columnCount === 1 ? 'never' : 'always' } as const;
          const { seen, lines } = scalar(bytes, RFC_4180, option);
          const tokenizer = new StructuralTokenizer(RFC_4180, option, kernel, 100, regionBytes);
          tokenizer.load(bytes);
          const index = createRecordIndex();
          let record = 0;
          let countedBytes = 0;
          for (let at = 0; at < bytes.length;) {
            const counted = tokenizer.count(bytes, at, columnCount);
            if (counted === null) {
              at = tokenizer.tokenize(bytes, at, index);
              record += index.recordCount;
              continue;
            }
            const passed = seen.slice(record, record + counted.recordCount);
            expect(passed.at(0)?.start).toBe(at);
            record += counted.recordCount;
            countedBytes += counted.next - at;
            at = counted.next;
            expect(passed).toHaveLength(counted.recordCount);
            const isAlike = passed.every(
              ({ fields, flags }) => fields.length === columnCount && flags === 0,
            );
            expect(isAlike).toBe(true);
            expect(seen[record]?.start ?? at).toBe(at);
          }
          expect([record, tokenizer.lines]).toEqual([seen.length, lines]);
          if (countedBytes === bytes.length && countedBytes > 0) allCounted += 1;
        },
      ),
      { numRuns: runs(400) },
    );
    expect(allCounted).toBeGreaterThan(20);
  });

  it('counts all of a text whose records are alike', () => {
    fc.assert(
      fc.property(evenText, (text) => {
        const option: TokenizerOptions = { skipBlankLines: 'always' };
        const tokenizer = new StructuralTokenizer(RFC_4180, option, kernel, 100);
        const bytes = new TextEncoder().encode(text);
        tokenizer.load(bytes);
        const counted = tokenizer.count(bytes, 0, 2);
        expect(counted?.next).toBe(bytes.length);
      }),
      { numRuns: runs(200) },
    );
  });

  it('reads a text of many regions, and a smaller one after it in the same memory', () => {
    const record = '17,"Smith, John ""JJ""",x@example.org,"12 High St\nLondon",5.32\r\n';
    const large = new TextEncoder().encode(record.repeat(20_000));
    const option: TokenizerOptions = { skipBlankLines: 'always' };
    const tokenizer = new StructuralTokenizer(RFC_4180, option, kernel, 4096);
    for (const bytes of [large, large.subarray(0, record.length * 7), large]) {
      // The second text is read where the memory has grown, for a long record.
      if (bytes.length < large.length) {
        const long = new Uint8Array(20 * 1024 * 1024).fill(0x78);
        tokenizer.load(long);
        expect(tokenizer.tokenize(long, 0, createRecordIndex())).toBe(long.length);
      }
      tokenizer.load(bytes);
      const seen = collect((at, index) => readRegion(tokenizer, bytes, at, index), bytes.length);
      expect({ seen, lines: tokenizer.lines }).toEqual(scalar(bytes, RFC_4180, option));
    }
  });

  it('reads what only the scalar tokenizer reads where the memory has grown', () => {
    const tokenizer = new StructuralTokenizer(RFC_4180, { skipBlankLines: 'always' }, kernel, 100);
    const index = createRecordIndex();
    for (const text of ['x,b\n', `${'x'.repeat(4 * 1024 * 1024)},a"b\n`]) {
      const bytes = new TextEncoder().encode(text);
      tokenizer.load(bytes);
      expect(tokenizer.tokenize(bytes, 0, index)).toBe(bytes.length);
      const ends = [bytes.indexOf(','.charCodeAt(0)), bytes.length - 1];
      expect([...index.fieldEnds.subarray(0, 2)]).toEqual(ends);
    }
  });

  it('reads on over the ends of slabs, whatever stands there', () => {
    const slabBytes = 32_768;
    const piece = 'a,"b ""b""\r\n,\n"\r\nc,d\n"","e"\rf,g\n';
    const option: TokenizerOptions = { skipBlankLines: 'always' };
    const tokenizer = new StructuralTokenizer(RFC_4180, option, kernel, 4096, 4 * slabBytes);
    for (let shift = 0; shift < piece.length; shift++) {
      const plain = `h,${'x'.repeat(slabBytes - 3 - shift)}\n`;
      const bytes = new TextEncoder().encode(`${plain}${piece}i,"${plain}"\n${piece}`);
      tokenizer.load(bytes);
      const seen = collect((at, index) => readRegion(tokenizer, bytes, at, index), bytes.length);
      expect(seen[0]?.end).toBe(slabBytes - shift - 1);
      expect({ seen, lines: tokenizer.lines }).toEqual(scalar(bytes, RFC_4180, option));
    }
  });

  it('leaves dialects that one byte cannot tell to the scalar tokenizer', () => {
    for (const part of [
      { delimiter: '||' },
      { delimiter: '§' },
      { newline: '\n' },
      { comment: '#' },
      { escape: '\\' },
      { quote: ',' },
      { delimiter: '\n' },
      { delimiter: '\0' },
      { quote: '\0', escape: '\0' },
    ]) {
      expect(isStructural({ ...RFC_4180, ...part })).toBe(false);
    }
  });
});
