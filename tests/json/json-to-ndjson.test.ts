import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { DEFAULT_READ_OPTIONS } from '../../pipeline/dialect/read-options.ts';
import { sniffInput } from '../../pipeline/dialect/sniff.ts';
import { detectFormat } from '../../pipeline/json/format.ts';
import { JsonToNdjson } from '../../pipeline/json/json-to-ndjson.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { describeWith } from '../support/needs.ts';

async function convert(
  document: string | Buffer,
): Promise<{ lines: string[]; warnings: string[] }> {
  const transform = new JsonToNdjson();
  const source = Readable.from([Buffer.from(document)], { objectMode: false });
  const lines = (await textOf(source.pipe(transform))).split('\n').slice(0, -1);
  return { lines, warnings: transform.warnings };
}

describe('JsonToNdjson', () => {
  it('writes each element of an array, with digits, order and repeated keys as they were', async () => {
    const document =
      '[ {"b": 9007199254740993,\n "a": [1.10, -0, 1E400]},\n {"k": 1, "k": 2}, 5, [1], null ]';
    expect((await convert(document)).lines).toEqual([
      '{"b":9007199254740993,"a":[1.10,-0,1E400]}',
      '{"k":1,"k":2}',
      '5',
      '[1]',
      'null',
    ]);
  });

  it('keeps strings, lone surrogates included', async () => {
    const { lines } = await convert(String.raw`[{"a":"x\n\"é\u0000\ud800"}]`);
    expect(JSON.parse(lines[0]!)).toEqual({ a: 'x\n"é\0\ud800' });
  });

  it('takes the array of objects that an object holds, and says so', async () => {
    const { lines, warnings } = await convert(
      '{"type":"FeatureCollection","bbox":[1,2],"crs":{"x":[{"y":1}]},"features":[{"id":1,"p":{"q":[]}},{"id":2}],"n":{"m":[1]}}',
    );
    expect(lines).toEqual(['{"id":1,"p":{"q":[]}}', '{"id":2}']);
    expect(warnings[0]).toContain("'features'");
    const two = await convert('{"a":[{"x":1}],"b":[{"y":2}]}');
    expect(two.lines).toEqual(['{"x":1}']);
    expect(two.warnings[0]).toContain('1 other array');
  });

  it('takes any other object as the only record', async () => {
    const { lines, warnings } = await convert(' {"a": 1, "b": [1, [2]], "c": {"d": "e"}} ');
    expect(lines).toEqual(['{"a":1,"b":[1,[2]],"c":{"d":"e"}}']);
    expect(warnings).toEqual([]);
  });

  it('accepts a byte-order mark and an empty array', async () => {
    expect((await convert('\uFEFF[{"a":1}]')).lines).toEqual(['{"a":1}']);
    expect((await convert('[]')).lines).toEqual([]);
  });

  it.each(['[{"a":1},{"a":', '[{"a":1}', '[{"a":1}] x', '[{"a":1},]', '{"a":1', '', '[1}', '[01]'])(
    'refuses %j',
    async (document) => {
      await expect(convert(document)).rejects.toMatchObject({ code: 'input-malformed' });
    },
  );

  it('says where a document is malformed', async () => {
    await expect(convert('[\n{"a":1},\n{"a":x}\n]')).rejects.toMatchObject({
      details: { line: 3, byteOffset: 16 },
    });
  });

  it('bounds depth, keys and records', async () => {
    const hostile = [
      '['.repeat(100_000),
      `[{"${'k'.repeat(70_000)}":1}]`,
      `["${'x'.repeat(17 * 2 ** 20)}`,
    ];
    for (const document of hostile) {
      await expect(convert(document)).rejects.toMatchObject({ code: 'limit-exceeded' });
    }
    const second = `[1,"${'x'.repeat(17 * 2 ** 20)}`;
    await expect(convert(second)).rejects.toThrow(/^Record 2 of the document .* \(NDJSON\)/);
  });
});

describe('detectFormat', () => {
  it.each([
    ['{"a":1}\n{"a":2}\n', 'ndjson'],
    ['\n{"a":1}\r\n\r\n{"b":2}', 'ndjson'],
    ['{"a":1}\n{broken\n{"a":3}\n', 'ndjson'],
    ['[{"a":1}]', 'json'],
    ['[\n{"a":1},\n{"a":2}\n]', 'json'],
    ['{\n"a": 1\n}', 'json'],
    ['{"features":[{"a":1}]}', 'json'],
    ['[1,2,3]', 'json'],
    ['[{"a":1},{"a":', 'json'],
    ['a,b\n1,2\n', 'csv'],
    ['[x],b\n1,2\n', 'csv'],
    ['[2024-01-01 10:00] start\n', 'csv'],
    ['{x},b\n1,2\n', 'csv'],
  ])('%j is %s', (text, format) => {
    expect(detectFormat(Buffer.from(text), true)).toBe(format);
  });
});

describe('the sniffer on JSON', () => {
  it('gives the union of keys in order of appearance, with types of the values', () => {
    const text = '{"id":1,"s":"5","n":1}\n{"n":2.5,"new":{"x":[1]},"b":true,"id":2}\n{"id":null}\n';
    const found = sniffInput(Buffer.from(text), true, DEFAULT_READ_OPTIONS);
    expect(found.input.format).toBe('ndjson');
    expect(found.input.columns.map(({ name, type }) => `${name}:${type}`)).toEqual([
      ...['id:integer', 's:string', 'n:number', 'new:string', 'b:boolean'],
    ]);
    expect(found.records[1]).toEqual(['2', null, '2.5', '{"x":[1]}', 'true']);
  });

  it('reads a document that the sample cuts', () => {
    const text = Buffer.from('[{"a":1},{"a":2},{"a":');
    const found = sniffInput(text, false, DEFAULT_READ_OPTIONS);
    expect(found.input).toMatchObject({
      format: 'json',
      columns: [{ name: 'a', type: 'integer' }],
    });
    expect(found.records).toEqual([['1'], ['2']]);
  });
});

describeWith(corpusNeed, 'real JSON documents', () => {
  const read = (name: string): Buffer => readFileSync(path.join(corpusFolder, 'json', name));

  it.each(['large/movies.json', 'large/cars.json', 'large/football.json'])('%s', async (name) => {
    const { lines } = await convert(read(name));
    const expected = JSON.parse(read(name).toString()) as unknown[];
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(expected);
  });

  it('GeoJSON gives its features', async () => {
    const document = read('large/earthquakes.geojson.json');
    const { features } = JSON.parse(document.toString()) as { features: unknown[] };
    const { lines } = await convert(document);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(features);
  });
});
