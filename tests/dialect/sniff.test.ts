import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { uniqueColumnNames } from '../../pipeline/dialect/column-names.ts';
import { DEFAULT_READ_OPTIONS, type ReadOptions } from '../../pipeline/dialect/read-options.ts';
import { sniffInput, type Sniffed } from '../../pipeline/dialect/sniff.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { describeWith } from '../support/needs.ts';

function sniff(text: string | Uint8Array, options: Partial<ReadOptions> = {}): Sniffed {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return sniffInput(bytes, true, { ...DEFAULT_READ_OPTIONS, ...options });
}

const names = (sniffed: Sniffed): string[] => sniffed.input.columns.map(({ name }) => name);
const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, column) => `column${column}`);
const types = (sniffed: Sniffed): string[] => sniffed.input.columns.map(({ type }) => type);
const restOf = (text: string, sniffed: Sniffed): string =>
  Buffer.from(text).subarray(sniffed.dataOffset).toString();

describe('the delimiter', () => {
  it.each([
    ...[
      ',',
      ';',
      '\t',
      '|',
      ':',
      '^',
      '~',
      '\x1f',
      '\x1e',
      '+',
      '\x01',
      '\x1c',
      '§',
      '¦',
      '@',
      ' ',
    ],
    ...['||', '::', '~|~', '^|^'],
  ])('%j is found', (delimiter) => {
    const text =
      ['id', 'name', 'city'].join(delimiter) +
      '\n1,Ann,Berlin\n2,Bob,Bonn\n'.replaceAll(',', delimiter);
    expect(sniff(text).input.delimiter).toBe(delimiter);
    expect(types(sniff(text))).toEqual(['integer', 'string', 'string']);
  });

  it('is not fooled by decimal commas, quoted line ends and quoted delimiters', () => {
    expect(sniff('a;b\n1,5;2,5\n3,5;4,5\n').input.delimiter).toBe(';');
    expect(sniff('a;b\n"x,y\n,,z";1\n"p,q";2\n').input.delimiter).toBe(';');
    expect(sniff("a,b\n'x,y',1\n'p,q',2\n").input).toMatchObject({ delimiter: ',', quote: "'" });
  });

  it.each([
    ['lists in cells', 'id,tags\n1,a;b;c\n2,d;e;f\n', ',', ['id', 'tags']],
    ['decimal commas below a name', 'value\n1,5\n2,5\n3,75\n', '\t', ['value']],
    ['clock times in text', 'log\nat 10:15 ok\nat 11:20 no\n', ',', ['log']],
    ['points of a map', 'at\n34.29, 78.72\n7.25, 41.61\n26.4, 57.4\n', '\t', ['at']],
    ['quoted lists', '"tags"\n"a;b;c"\n"d;e;f"\n"g;h;i"\n', ',', ['tags']],
    ['lists beside tabs', 'a;b;c\ttrue\t1\nd;e;f\tfalse\t2\n', '\t', numbered(3)],
    ['lists beside quotes', 'a;b,"1,5",c;d\ne;f,"2,5",g;h\ni;j,"3,5",k;l\n', ',', numbered(3)],
    ['UUIDs', `id\n${'018f3a2b-7c11-7000-8000-00000000000a\n'.repeat(3)}`, ',', ['id']],
    ['names of several words', 'name\nAnn Lee\nBob Ray Ban\nCid Fox\n', ',', ['name']],
  ])('is not taken from %s, which would drop the header', (_what, text, delimiter, columns) => {
    expect(sniff(text).input.delimiter).toBe(delimiter);
    expect(names(sniff(text))).toEqual(columns);
    expect(sniff(text).dialect.skip).toBe(0);
  });

  it('is what stands beside quotes where no count tells it', () => {
    const text = 'id "note" x\n1 one two "a" 5\n2 two "b b" 6\n3 three "c" 7\n4 "d" 8\n';
    expect(sniff(text).input.delimiter).toBe(' ');
  });

  it('may be a comma with a blank where quotes follow it', () => {
    const found = sniff('"a", "b"\n"1,5", "x, y"\n"2", "z"\n');
    expect(found.input.delimiter).toBe(', ');
    expect(found.records[0]).toEqual(['1,5', 'x, y']);
  });

  it('is taken from the first line that Excel writes', () => {
    const text = 'sep=|\na|b\n1|2\n';
    const found = sniff(text);
    expect(found.dialect).toMatchObject({ delimiter: '|', skip: 1, header: true });
    expect(restOf(text, found)).toBe('1|2\n');
  });

  it('leaves one column whole', () => {
    expect(names(sniff('name\nAnn Lee\nBob Ray\n'))).toEqual(['name']);
    expect(names(sniff('when\n2024-01-01\n2024-01-02\n'))).toEqual(['when']);
    expect(names(sniff('time\n10:15\n11:20\n'))).toEqual(['time']);
    const prose = sniff('text\nwell, yes\nno\nor, perhaps, not\nnever\n');
    expect(prose.records).toEqual([['well, yes'], ['no'], ['or, perhaps, not'], ['never']]);
  });
});

describe('quotes', () => {
  it('may be escaped by a backslash', () => {
    const found = sniff('a,b\n"x \\"y\\", z",1\n"p",2\n');
    expect(found.dialect.escape).toBe('\\');
    expect(found.records[0]).toEqual(['x "y", z', '1']);
  });

  it('stay quotes where a few are stray', () => {
    expect(sniff('a,b\n1,5" pipe\n2,"x"y\n3,z\n').dialect.quote).toBe('"');
  });

  it('are taken as stated', () => {
    expect(sniff('a,b\n"x",1\n', { quote: '' }).records[0]).toEqual(['"x"', '1']);
    expect(sniff('a;b,c\n1;2,3\n', { delim: ';' }).records[0]).toEqual(['1', '2,3']);
  });
});

describe('the header', () => {
  it.each([
    ['text over numbers', 'id,n\n1,2\n', true],
    ['numbers over numbers', '1,2\n3,4\n', false],
    ['text that does not recur', 'name,city\nAnn,Bonn\nBob,Bonn\n', true],
    ['text that recurs below', 'Ann,Bonn\nBob,Bonn\n', false],
    ['a repeated text', 'x,x\na,b\n', false],
    ['repeated names over numbers', 'x,x,\n1,2,3\n', true],
    ['names alone', 'a,b,c\n', true],
    ['one cell', 'x', false],
    ['a first record of dates', '2024-01-01,a\n2024-01-02,b\n', false],
    ['years side by side over numbers', 'country,2020,2021\nDE,1,2\nFR,4,5\n', true],
    ['years over years', '2020,2021\n2021,2022\n2022,2023\n', false],
    ['lines of a log', '2024-01-01 10:00:00 start\n2024-01-01 10:00:01 end\n', false],
  ])('%s', (_what, text, header) => {
    expect(sniff(text).dialect.header).toBe(header);
  });

  it('is as stated', () => {
    expect(sniff('1,2\n3,4\n', { header: true }).records).toEqual([['3', '4']]);
    const headless = sniff('a,b\n1,2\n', { header: false });
    expect(names(headless)).toEqual(['column0', 'column1']);
    expect(headless.dataOffset).toBe(0);
  });

  it.each([
    ['records end in a delimiter', 'a,b\n1,2,\n3,4,\n', ['a', 'b', 'column2']],
    ['it ends in a delimiter', 'a,b,\n1,2\n3,4\n', ['a', 'b']],
    ['it does not name the names of the records', 'a,b\nx,1,2\ny,3,4\n', ['column0', 'a', 'b']],
  ])('fits the records where %s', (_what, text, columns) => {
    const found = sniff(text);
    expect(names(found)).toEqual(columns);
    expect(found.records[0]).toHaveLength(columns.length);
    expect(found.warnings).toHaveLength(1);
  });

  it('is taken as it stands where some records fit it, or more than a delimiter is missing', () => {
    expect(names(sniff('a,b\n1,2,3\n3,4\n1,2,3\n'))).toEqual(['a', 'b']);
    expect(names(sniff('a,b,c\n1,2\n3,4\n'))).toEqual(['a', 'b', 'c']);
  });

  it('gives every column a name of its own, as written', () => {
    expect(names(sniff(' a ,id,id,ID,\n1,2,3,4,5\n'))).toEqual([
      ' a ',
      'id',
      'id_1',
      'ID',
      'column4',
    ]);
    expect(uniqueColumnNames(['a', 'a_1', 'a', 'a'])).toEqual(['a', 'a_1', 'a_2', 'a_3']);
    expect(uniqueColumnNames(['column1', ''])).toEqual(['column1', 'column1_1']);
    expect(uniqueColumnNames(['__proto__', '__proto__'])).toEqual(['__proto__', '__proto___1']);
  });
});

describe('column types', () => {
  it('hold every value of the sample', () => {
    const found = sniff(
      'i,n,b,d,t,s,e,z\n1,1,true,2024-01-01,2024-01-01,1,,007\n' +
        '2,2.5,false,2024-01-02,2024-01-01 10:00:00,x,,008\n,,,,,,,\n',
    );
    expect(types(found)).toEqual([
      ...['integer', 'number', 'boolean', 'date', 'datetime', 'string', 'string', 'string'],
    ]);
  });

  it('see through quotes and NULL texts, and obey the schema', () => {
    const fields = [{ name: 'b', type: 'string' as const }];
    const found = sniff('a,b\n"1",1\nNA,2\n', { nullstr: ['', 'NA'], fields });
    expect(types(found)).toEqual(['integer', 'string']);
    expect(found.records[1]).toEqual([null, '2']);
  });
});

describe('lines before the table', () => {
  it('may hold a few delimiters behind a first one without, before a header', () => {
    const found = sniff('Report 2024\nby SAP, on Monday\n\nid,name,n\n1,a,2\n2,b,3\n');
    expect(found.dialect).toMatchObject({ skip: 3, header: true });
    expect(names(found)).toEqual(['id', 'name', 'n']);
    expect(sniff('a,b\n1,2,3\n1,2,3,4\n1,2,3,4\n1,2,3,4\n').dialect.skip).toBe(0);
  });

  it('are skipped with a warning where a table follows', () => {
    const text = 'Report of sales\n\nas of today\nid,n,m\n1,2,3\n4,5,6\n';
    const found = sniff(text);
    expect(found.dialect.skip).toBe(3);
    expect(found.dataLine).toBe(4);
    expect(names(found)).toEqual(['id', 'n', 'm']);
    expect(restOf(text, found)).toBe('1,2,3\n4,5,6\n');
    expect(found.warnings).toHaveLength(1);
  });

  it('are kept where the file is ragged rather', () => {
    expect(sniff('a,b\n1,2,3\n4,5,6\n').dialect.skip).toBe(0);
    expect(sniff('a,b,c\n1\n1,2\n1,2,3\n').dialect.skip).toBe(0);
  });

  it('are skipped as stated', () => {
    const text = 'x\ny,z\na,b\n1,2\n';
    const found = sniff(text, { skip: 2 });
    expect(found.dialect.skip).toBe(2);
    expect(restOf(text, found)).toBe('1,2\n');
    expect(found.dataLine).toBe(3);
  });

  it('are comments where # recurs, but not where # is data', () => {
    const commented = sniff('# made by x\n# on y\na,b\n1,2\n3,4\n# end\n5,6\n7,8\n');
    expect(commented.dialect.comment).toBe('#');
    expect(commented.records).toHaveLength(4);
    expect(sniff('#id,name\n#1,x\n#2,y\n').dialect.comment).toBe('');
  });
});

describe('an input without a table', () => {
  it('is refused when it has no bytes, and has no columns when it is blank', () => {
    expect(() => sniff('')).toThrow(expect.objectContaining({ code: 'empty-input' }) as Error);
    const blank = sniff('\n\r\n\n');
    expect(blank.input.columns).toEqual([]);
    expect(blank.records).toEqual([]);
    expect(blank.warnings).toHaveLength(1);
  });

  it('is refused with its place when a limit is passed', () => {
    const wide = Array.from({ length: 20_001 }, (_, i) => `c${i}`).join(',');
    expect(() => sniff(`${wide}\n`)).toThrow(
      expect.objectContaining({ code: 'limit-exceeded' }) as Error,
    );
    const long = Buffer.alloc(1024 * 1024, 'a');
    expect(() => sniffInput(long, false, DEFAULT_READ_OPTIONS)).toThrow(
      expect.objectContaining({ code: 'limit-exceeded' }) as Error,
    );
  });

  it('keeps the place of the end when there is a header only', () => {
    for (const text of ['a,b,c', 'a,b,c\n', 'a,b,c\r\n', 'a,b,c\r']) {
      const found = sniff(text);
      expect(names(found)).toEqual(['a', 'b', 'c']);
      expect(found.dataOffset).toBe(text.length);
      expect(found.records).toEqual([]);
    }
  });
});

it('leaves out the record that the end of a sample cuts', () => {
  const found = sniffInput(Buffer.from('a,b\n1,2\n3,4x'), false, DEFAULT_READ_OPTIONS);
  expect(found.records).toEqual([['1', '2']]);
  expect(types(found)).toEqual(['integer', 'integer']);
});

interface RealTable {
  readonly file: string;
  readonly delimiter: string;
  readonly header: boolean;
  readonly columns: number;
}

interface SniffCase {
  readonly id: string;
  readonly input_b64?: string;
  readonly dialect: { readonly quote?: string };
  readonly expect: { readonly sniff?: { readonly delimiter: string } };
}

describeWith(corpusNeed, 'the shared corpus', () => {
  const read = (name: string): Buffer => readFileSync(path.join(corpusFolder, name));

  it('real tables are read as their index says', () => {
    const tables = JSON.parse(read('realdata/index.json').toString()) as RealTable[];
    expect(tables.length).toBeGreaterThan(10);
    for (const { file, delimiter, header, columns } of tables) {
      const stored = read(`realdata/${file}`);
      const bytes = file.endsWith('.gz') ? gunzipSync(stored) : stored;
      const sample = bytes.subarray(0, 1024 * 1024);
      const found = sniffInput(sample, sample.length === bytes.length, DEFAULT_READ_OPTIONS);
      const { input } = found;
      expect({
        file,
        delimiter: input.delimiter,
        header: input.header,
        columns: input.columns.length,
      }).toEqual({
        ...{ file, delimiter, header, columns },
      });
    }
  });

  it('the delimiters of the suites are found', () => {
    const lines = read('cases/cases.jsonl').toString().split('\n').filter(Boolean);
    const cases = lines.map((line) => JSON.parse(line) as SniffCase);
    const sniffCases = cases.filter((item) => item.expect.sniff !== undefined);
    expect(sniffCases.length).toBeGreaterThan(10);
    for (const { id, input_b64, dialect, expect: expected } of sniffCases) {
      const bytes = Buffer.from(input_b64 ?? '', 'base64');
      const quote = dialect.quote ?? 'auto';
      expect({ id, delimiter: sniff(bytes, { quote }).input.delimiter }).toEqual({
        id,
        delimiter: expected.sniff?.delimiter,
      });
    }
  });
});
