import { describe, expect, it } from 'vitest';
import { readEntries } from '../../pipeline/exchange/entries.ts';
import { EntryWriter, NO_KEY } from '../../pipeline/exchange/entry-writer.ts';
import { findMatches } from '../../pipeline/exchange/find-matches.ts';
import { planWave } from '../../pipeline/exchange/plan-wave.ts';
import { readBlockIndex } from '../../pipeline/exchange/block-index.ts';
import { sliceOf } from '../../pipeline/exchange/wave-document.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { builtKernel } from '../support/kernel.ts';
import { runPlan, type LookupFile } from '../support/run-plan.ts';
import { total } from '../support/run-waves.ts';
import { EXCHANGE_LIMITS } from '../../pipeline/limits.ts';

const tiny = {
  ...EXCHANGE_LIMITS,
  ...{ blockBytes: 1, partitionBytes: 1, partitionBytesMax: 1, taskBytesMax: 1e6 },
};
const long = 'k'.repeat(1500);

const colours: LookupFile = {
  name: 'colours.csv',
  text: 'code,name,rank\n1,red,1\n2,"g ""r"" een",2\n1,rose,x\n,none,9\n3,,3\n7,"",7\n',
  types: { code: 'integer', rank: 'integer' },
};
const words: LookupFile = {
  name: 'words.csv',
  text: `word,size\n${long}a,1\nred,3\n${long}b,2\nrose,4\nred,33\n`,
};
const codes: LookupFile = {
  name: 'codes.csv',
  text: 'code\n1\n7\n1\n',
  types: { code: 'integer' },
};
const input = `colour,n,word\n1,5,red\n"1",6,${long}b\n2,07,rose\n,8,\n3,9,${long}a\n9,1,x\n1,5,red\nz,2,red\n7,,${long}\n`;
const types: Readonly<Record<string, ColumnType>> = { colour: 'integer', n: 'integer' };

const join = { with: 'colours.csv', on: { colour: 'code' } };

const PLANS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  inner: { steps: [{ join }] },
  left: { steps: [{ join: { ...join, how: 'left' } }] },
  semi: { steps: [{ join: { ...join, how: 'semi' } }] },
  anti: { steps: [{ join: { ...join, how: 'anti' } }] },
  'of no column': { steps: [{ join: { with: 'codes.csv', on: { colour: 'code' } } }] },
  'by long texts': { steps: [{ join: { with: 'words.csv', on: { word: 'word' }, how: 'left' } }] },
  'by two columns': { steps: [{ join: { ...join, on: { colour: 'code', word: 'name' } } }] },
  'among computed columns': {
    steps: [
      { derive: { twice: 'n * 2', text: "'<' || n || '>'", c: 'colour + 0' } },
      { join: { ...join, on: { c: 'code' }, how: 'left' } },
      { derive: { all: "coalesce(text || name || twice, '-')" } },
      { filter: "name IS NULL OR name <> 'rose'" },
      { drop: ['text', 'colour'] },
    ],
  },
  'of a join': {
    steps: [{ join }, { join: { with: 'words.csv', on: { name: 'word' }, how: 'left' } }],
  },
  'between other waves': {
    steps: [
      { sort: [{ by: 'n', desc: true }] },
      { limit: 6 },
      { join },
      { dedupe: { by: ['name', 'n'] } },
      { sort: ['name'] },
      { select: ['name', 'n'] },
    ],
  },
  'of groups': {
    steps: [
      { aggregate: { by: ['colour'], measures: { n: 'count(*)' } } },
      { join: { ...join, how: 'left' } },
      { aggregate: { measures: { names: "string_agg(name, '/')", n: 'sum(n)' } } },
    ],
  },
  'with a check behind it': {
    steps: [{ join }, { check: { expr: "name <> 'rose' OR n > 5", name: 'rose' } }],
  },
  'where cells are blanked': {
    read: { on_error: 'null' },
    steps: [{ join: { ...join, how: 'left' } }],
    write: { format: 'ndjson' },
  },
};

describe('a join to a lookup in parts', () => {
  const lookups = [colours, words, codes];

  it.each(Object.keys(PLANS))('%s gives what one to a whole lookup gives', (name) => {
    const plan = JSON.stringify(PLANS[name]);
    const whole = runPlan(plan, input, { types, lookups });
    // A record is rejected in the wave that finds it wrong.
    const told = (rejects: typeof whole.rejects) =>
      rejects.map(({ code, step, raw }) => `${code} ${String(step)} ${raw}`).sort();
    const account = (results: typeof whole.waves) =>
      (['rejected', 'filtered'] as const).map((count) => total(results.flat(), count));
    for (const [chunkRecords, partRecords] of [
      [Infinity, Infinity],
      [1, 1],
      [2, 3],
    ]) {
      const { output, waves, rejects } = runPlan(plan, input, {
        ...{ types, lookups, chunkRecords: chunkRecords!, partRecords: partRecords! },
        ...(chunkRecords === 2 ? { kernel: builtKernel() } : { limits: tiny }),
      });
      expect(output.toString()).toBe(whole.output.toString());
      expect(told(rejects)).toEqual(told(whole.rejects));
      expect(account(waves)).toEqual(account(whole.waves));
    }
  });

  it('keeps all matches of a key that many records of many chunks share', () => {
    const text = `k,v\n${Array.from({ length: 3000 }, (_, i) => `${String(i % 2)},${String(i)}\n`).join('')}`;
    const { output, waves } = runPlan(
      'steps: [{ join: { with: big.csv, on: { k: k } } }]',
      `k\n${'1\n5\n'.repeat(9)}0\n`,
      { lookups: [{ name: 'big.csv', text }], chunkRecords: 3, partRecords: 700, limits: tiny },
    );
    const odd = Array.from({ length: 1500 }, (_, i) => `1,${String(2 * i + 1)}`);
    const even = Array.from({ length: 1500 }, (_, i) => `0,${String(2 * i)}`);
    const expected = [...Array.from({ length: 9 }, () => odd).flat(), ...even];
    expect(output.toString().trimEnd().split('\n').slice(1)).toEqual(expected);
    expect(waves.at(-1)!.map(({ statistics: { filtered } }) => filtered)).toEqual(
      ...[[1, 2, 1, 2, 1, 2, 0]],
    );
  });

  it('fails with the place of a record of the lookup whose key does not cast', () => {
    const broken = { ...colours, text: `${colours.text}8,a,1\nx,a,1\n` };
    const failing = () =>
      runPlan(JSON.stringify({ steps: [{ join }] }), input, {
        ...{ types, lookups: [broken, words], partRecords: 3 },
      });
    expect(failing).toThrow(
      expect.objectContaining({
        code: 'input-malformed',
        details: expect.objectContaining({ line: 1, columnName: 'code' }) as unknown,
      }),
    );
  });

  it('is not planned while a part of the lookup, or of the matches, is missing', () => {
    const plan = parsePlan(JSON.stringify({ steps: [{ join }] }));
    const columns = [{ name: 'code', type: 'integer' as const }];
    const content = { key: 'a', format: 'csv' as const, dialect: RFC_4180, columns };
    const { waves, steps } = compilePlan(plan, {
      ...{ format: 'csv', dialect: RFC_4180, columns: [{ name: 'colour', type: 'integer' }] },
      lookups: [{ name: 'colours.csv', bytes: 9, content, parts: [] }],
    });
    expect(steps.map(({ scope, wave, lastWave }) => [scope, wave, lastWave])).toEqual([
      ['global', 1, 4],
    ]);
    for (const [wave, inputs] of [
      [2, [[], [null]]],
      [3, [[], [], [null]]],
    ] as const) {
      expect(() => [...planWave(waves[wave]!.context, inputs)]).toThrow('was given up');
    }
  });

  it('refuses more matches at once than a worker holds', () => {
    const entries = (keys: readonly string[], record: string) => {
      const writer = new EntryWriter(1e6);
      for (const key of keys) {
        const [bytes, cells] = [Buffer.from(key), Buffer.from(record)];
        writer.add(bytes, 0, bytes.length, cells, 0, cells.length);
      }
      return writer.finish(NO_KEY);
    };
    const written = [
      entries(['a', 'a'], 'x'.repeat(100)),
      entries(['a'], '1'),
      entries(['a'], '1'),
    ];
    const documents = written.map(({ index }, i) =>
      sliceOf(String(i), readBlockIndex(index), 0, 1),
    );
    const read = readEntries(
      documents,
      written.map(({ output }) => Buffer.concat(output)),
    );
    const order = Uint32Array.of(0, 1, 2, 3);
    const keys = { slices: documents, builds: 1 };
    expect(findMatches(read, keys, order, 410).output).toHaveLength(2);
    expect(() => findMatches(read, keys, order, 400)).toThrow('have the same key');
  });
});
