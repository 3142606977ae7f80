import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { decodePartial } from '../../pipeline/result/partial.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { describeWith } from '../support/needs.ts';
import { runPlan } from '../support/run-plan.ts';

const files = [
  'airports.csv',
  'birdstrikes.csv',
  'iris.csv',
  'ourairports-regions.csv',
  'penguins.csv',
  'qsv-boston311-100.csv',
  'seattle-weather.csv',
  'species.csv',
  'titanic.csv',
  'zipcodes.csv',
];

describeWith(corpusNeed, 'the plain job on real files', () => {
  it.each(files)('gives csv-parse’s records of %s, whatever the chunks', (file) => {
    const input = readFileSync(path.join(corpusFolder, 'realdata', file));
    const whole = runPlan('', input);
    const options = { bom: true, relax_column_count: true, relax_quotes: true };
    const wanted: string[][] = parse(input, options);
    const columnCount = wanted[0]?.length ?? 0;
    const readable = wanted.filter((record) => record.length === columnCount);
    expect(whole.rejects.length).toBe(wanted.length - readable.length);
    expect(parse(whole.output, options)).toEqual(readable);
    const partial = whole.results[0]?.partial ?? new Uint8Array(0);
    expect(decodePartial(partial).profile).not.toBeNull();
    const cut = runPlan('', input, { chunkRecords: 211 });
    expect(cut.output.equals(whole.output)).toBe(true);
    expect(cut.rejects.length).toBe(whole.rejects.length);
  });
});

describe('the plain job', () => {
  it('keeps the bytes of every field, quoting included, and ends records with LF', () => {
    const input = 'a,b,c\n1,"x",\n"2","y ""z""",""\r\n 3 ,"line\r\nend",0030\r4,é,"  "';
    const { output } = runPlan('', input);
    const wanted = 'a,b,c\n1,"x",\n"2","y ""z""",""\n 3 ,"line\r\nend",0030\n4,é,"  "\n';
    expect(output.toString()).toBe(wanted);
  });

  it('shares the input’s bytes where whole runs of records go out as they came in', () => {
    const body = Buffer.from('1,2\n'.repeat(50_000));
    const { results } = runPlan('', Buffer.concat([Buffer.from('a,b\n'), body]));
    expect(results[0]?.output.length).toBe(1);
    expect(results[0]?.output[0]?.length).toBe(body.length);
  });

  it('encodes irregular fields anew', () => {
    const { output } = runPlan('', 'a,b\nx"y,1\n"p"q,2\n"it""s"" ",3\n');
    expect(parse(output)).toEqual([
      ['a', 'b'],
      ['x"y', '1'],
      ['pq', '2'],
      ['it"s" ', '3'],
    ]);
  });

  it('writes other dialects as RFC 4180', () => {
    const dialect = { ...RFC_4180, delimiter: ';', quote: "'", escape: "'" };
    const { output } = runPlan('', "a;b\n'x;y';1,5\n'it''s';\n'';\"q\"\n", { dialect });
    expect(output.toString()).toBe('a,b\nx;y,"1,5"\nit\'s,\n"","""q"""\n');
  });

  it('quotes a line end that the dialect does not take for one', () => {
    const dialect = { ...RFC_4180, newline: '\n' };
    const { output } = runPlan('', 'a,b\nx\ry,1\nz,2\n', { dialect });
    expect(output.toString()).toBe('a,b\n"x\ry",1\nz,2\n');
  });

  it('keeps a record of one empty cell', () => {
    const { output, results } = runPlan('', 'a\n1\n\n2\n""\n');
    expect(output.toString()).toBe('a\n1\n""\n2\n""\n');
    expect(results[0]?.statistics.recordsOut).toBe(4);
  });

  it('rejects what is malformed, with place, reason and raw bytes', () => {
    const head = Buffer.from('a,b\n1,2\n3\n4,5,6\n"x\ny",7\n');
    const tail = Buffer.from('9,"open\n');
    const { rejects, output, results } = runPlan(
      '',
      Buffer.concat([head, Buffer.from([0x38, 0x2c, 0xff, 0x0a]), tail]),
    );
    expect(output.toString()).toBe('a,b\n1,2\n"x\ny",7\n');
    const bytes = { rawEncoding: 'utf-8' };
    expect(rejects).toEqual([
      expect.objectContaining({
        record: 1,
        line: 1,
        byteOffset: 4,
        column: 2,
        columnName: 'b',
        code: 'missing-cell',
        raw: '3',
        ...bytes,
      }),
      expect.objectContaining({
        record: 2,
        line: 2,
        byteOffset: 6,
        column: 3,
        columnName: null,
        code: 'extra-cell',
        raw: '4,5,6',
        ...bytes,
      }),
      expect.objectContaining({
        record: 4,
        line: 5,
        byteOffset: 20,
        column: null,
        code: 'encoding-error',
        raw: '8,\u00ff',
        rawEncoding: 'latin-1',
      }),
      expect.objectContaining({
        record: 5,
        line: 6,
        byteOffset: 24,
        column: null,
        code: 'source-error',
        raw: '9,"open\n',
        ...bytes,
      }),
    ]);
    expect(results[0]?.statistics).toMatchObject({ recordsIn: 6, recordsOut: 2, rejected: 4 });
  });

  it('pads short records when the plan says so', () => {
    const { output, rejects } = runPlan(
      'read: { null_padding: true }',
      'a,b,c\n1\n2,"x"\n3,4,5\n6,7,8,9\n',
    );
    expect(output.toString()).toBe('a,b,c\n1,,\n2,"x",\n3,4,5\n');
    expect(rejects.map((reject) => reject.code)).toEqual(['extra-cell']);
  });
});

describeWith(corpusNeed, 'escape_formulas', () => {
  const file = path.join(corpusFolder, 'security', 'files', 'csv-injection.csv');

  it('leads every cell that may be a formula with a quote, and leaves all alone when off', () => {
    const input = readFileSync(file);
    const wanted: string[][] = parse(input);
    expect(parse(runPlan('', input).output)).toEqual(wanted);
    const escaped = wanted.map((record) =>
      record.map((cell) => (/^[=+\-@\t\r\n＝＋－＠]/u.test(cell) ? `'${cell}` : cell)),
    );
    const { output } = runPlan('write: { escape_formulas: true }', input);
    expect(parse(output)).toEqual(escaped);
    expect(escaped).not.toEqual(wanted);
  });
});
