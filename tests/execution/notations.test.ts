import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import { decodeRejects, type RelativeReject } from '../../pipeline/result/relative-reject.ts';
import { finalOutput } from '../support/aggregate-output.ts';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { builtKernel } from '../support/kernel.ts';
import { runPlan, type RunOptions } from '../support/run-plan.ts';

const SEMICOLONS = { ...RFC_4180, delimiter: ';' };
const kernel = builtKernel();

/** The output at several chunk sizes, with the kernel and without: none of it may matter. */
function run(
  plan: object | string,
  input: string,
  options: RunOptions = {},
): { output: string; rejects: readonly RelativeReject[] } {
  const text = typeof plan === 'string' ? plan : JSON.stringify(plan);
  const dialect = options.dialect ?? SEMICOLONS;
  const whole = runPlan(text, input, { ...options, dialect });
  for (const part of [{ kernel }, { chunkRecords: 1 }, { chunkRecords: 3, kernel }]) {
    const cut = runPlan(text, input, { ...options, dialect, ...part });
    expect(finalOutput(cut).toString()).toBe(finalOutput(whole).toString());
    expect(cut.rejects.map(reasonOf)).toEqual(whole.rejects.map(reasonOf));
  }
  return { output: finalOutput(whole).toString(), rejects: whole.rejects };
}

/** What of a reject does not depend on its chunk. */
function reasonOf({ column, columnName, step, code, message, raw }: RelativeReject): unknown {
  return { column, columnName, step, code, message, raw };
}

const GERMAN = { name: 'amount', type: 'number', decimalChar: ',', groupChar: '.' };
const plain = { delim: ';' };

describe('a decimal and a group character of a field', () => {
  it('are read away: the cells are plain numbers then, and others keep their bytes', () => {
    const input = 'id;amount;note\n1;1.234.567,89;"a;b"\n2;"-0,50";x\n3;007;"y"\n4;,5e3;\n5;;z\n';
    expect(run({ schema: { fields: [GERMAN] }, write: plain }, input)).toEqual({
      output: 'id;amount;note\n1;1234567.89;"a;b"\n2;-0.50;x\n3;007;"y"\n4;.5e3;\n5;;z\n',
      rejects: [],
    });
  });

  it('reject what does not read so, with its place, as any other cell of a typed column', () => {
    const good = ['1', '1.2.3,4', '12.34.567', ' 1,5 ', '+1,5', '5,', '1.5,'];
    const bad = ['1,234.5', '1..2', '.5', '5.', '1,2,3', 'x', '1,5.000', '1e1.000', '--1'];
    const cells = [...good, ...bad].map((cell) => `"${cell}";0`);
    const { output, rejects } = run(
      { schema: { fields: [GERMAN] }, steps: [{ project: { v: 'amount + 0' } }] },
      `amount;id\n${cells.join('\n')}\n`,
    );
    expect(output).toBe('v\n1.0\n123.4\n1234567.0\n1.5\n1.5\n5.0\n15.0\n');
    expect(rejects.map(({ raw }) => raw)).toEqual(cells.slice(good.length));
    expect(rejects[0]).toMatchObject({
      ...{ record: 7, line: 7, column: 1, columnName: 'amount', step: null, code: 'type-error' },
      byteOffset: cells.slice(0, good.length).join('\n').length + 1,
      message:
        'Value "1,234.5" in column "amount" is not a number written with decimalChar ",", groupChar "."',
    });
  });

  it.each([
    ['null', 'amount;n\n1.5;1\n;2\n;3\n'],
    ['fail', null],
  ])('on_error: %s holds', (on_error, output) => {
    const plan = { read: { on_error }, schema: { fields: [GERMAN] }, write: plain };
    const input = 'amount;n\n1,5;1\n1.5.;2\n;3\n';
    if (output !== null) expect(run(plan, input)).toEqual({ output, rejects: [] });
    else expect(() => run(plan, input)).toThrow(/"1\.5\." in column "amount" is not a number/);
  });

  it('let NULL be what it is, and a record that lacks cells', () => {
    const read = { nullstr: ['-99,0', 'NA', ''], null_padding: true };
    const plan = { read, schema: { fields: [GERMAN] }, steps: [{ filter: 'amount IS NULL' }] };
    const input = 'id;amount\n1;"-99,0"\n2;NA\n3;-99\n4\n5;\n';
    const { output, rejects } = run({ ...plan, write: { ...plain, nullstr: '' } }, input);
    expect([output, rejects]).toEqual(['id;amount\n1;\n2;\n4;\n5;\n', []]);
  });

  it('give what plain cells give, exactly, in sums, comparisons, groups, joins and sorts', () => {
    const space = '\u202f';
    const fields = [GERMAN, { name: 'id', type: 'integer', groupChar: space }];
    const rows = [
      ['9.007.199.254.740.993,1', '9 223 372 036 854 775 807'],
      ...[
        ['0,1', '12 000'],
        ['-1.000,2', '7'],
        ['9.007.199.254.740.993,3', '-8 000'],
        ['0,2', '7'],
      ],
    ];
    const input = rows.map(([amount, id]) => `${amount!};${id!.replaceAll(' ', space)}\n`).join('');
    const written = input.replaceAll(/[.\u202f]/g, '').replaceAll(',', '.');
    const lookups = [
      { name: 'l.csv', text: 'k,name\n12000,twelve\n', types: { k: 'integer' } },
    ] as const;
    const measures = {
      total: 'sum(amount)',
      top: 'max(id)',
      mid: 'median(amount)',
      d: 'count(distinct id)',
    };
    const lists = [
      [{ aggregate: { measures } }],
      [{ filter: 'amount > 0.1 AND id >= -8000' }, { sort: ['id', 'amount'] }],
      [{ aggregate: { by: ['id'], measures } }, { top_k: { by: ['id'], k: 3 } }],
      [{ join: { with: 'l.csv', on: { id: 'k' } } }, { select: ['name', 'amount'] }],
      [{ dedupe: { by: ['id'] } }, { derive: { t: "CAST(amount AS string) || '|'", i: 'id + 0' } }],
      [{ profile: '*' }, { trim: '*' }],
    ];
    for (const steps of lists) {
      const plainFields = fields.map(({ name, type }) => ({ name, type }));
      const expected = run(
        { schema: { fields: plainFields }, steps, write: plain },
        `amount;id\n${written}`,
        { lookups },
      );
      const given = run({ schema: { fields }, steps, write: plain }, `amount;id\n${input}`, {
        lookups,
      });
      expect(given).toEqual(expected);
      expect(given.output).toContain('\n');
    }
  });

  it('are seen plain by constraints and by the writers', () => {
    const fields = [{ ...GERMAN, constraints: { minimum: 1000.5 } }];
    const { output, rejects } = run(
      { schema: { fields }, write: { format: 'ndjson' } },
      'amount\n"1.000,50"\n999,9\n 1.001 \n',
    );
    expect(output).toBe('{"amount":1000.50}\n{"amount":1001}\n');
    expect(rejects).toMatchObject([{ code: 'constraint-error', raw: '999,9' }]);
  });

  it('hold in every batch of a chunk, with the places of what is rejected', () => {
    const lines = Array.from({ length: 10_000 }, (_, i) =>
      i % 3000 === 2999 ? `x;${String(i)}\n` : `"1.${String(i).padStart(5, '0')},5";${String(i)}\n`,
    );
    const input = `amount;id\n${lines.join('')}`;
    const steps = [{ filter: 'id >= 2990' }, { derive: { ok: 'amount = id + 100000.5' } }];
    const id = { name: 'id', type: 'integer' };
    for (const options of [{}, { kernel }]) {
      const plan = JSON.stringify({ schema: { fields: [GERMAN, id] }, steps });
      const { output, rejects } = runPlan(plan, input, { ...options, dialect: SEMICOLONS });
      const records = output.toString().split('\n').slice(1, -1);
      expect(records).toHaveLength(10_000 - 2990 - 3);
      expect(records.every((record) => record.endsWith(',true'))).toBe(true);
      expect(records[0]).toBe('102990.5,2990,true');
      expect(rejects.map(({ record, line, raw }) => [record, line, raw])).toEqual(
        [2999, 5999, 8999].map((at) => [at, at, `x;${String(at)}`]),
      );
      const [, second] = rejects;
      expect(second?.byteOffset).toBe(lines.slice(0, 5999).join('').length);
    }
  });

  it('are quoted where what is written needs it, though no input cell did', () => {
    const dots = { ...RFC_4180, delimiter: '.' };
    const schema = { fields: [{ name: 'a', type: 'number', decimalChar: ',' }] };
    const options = { dialect: dots };
    expect(run({ schema, write: { delim: '.' } }, 'a.b\n1,5.x\n2.y\n', options).output).toBe(
      'a.b\n"1.5".x\n2.y\n',
    );
  });

  it('read as in DuckDB where group characters stand between digits', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-notations-'));
    try {
      const pieces = ['1', '23', '.', ',', '-', '0', '456', 'e2', ' ', '9.000', ',25'];
      const texts = Array.from({ length: 200 }, (_, i) =>
        Array.from(
          { length: 1 + (i % 4) },
          (_, j) => pieces[(i * 7 + j * (3 + (i >> 5))) % 11],
        ).join(''),
      );
      const input = `id;amount\n${texts.map((text, i) => `${String(i)};"${text}"\n`).join('')}`;
      const steps = [{ derive: { v: 'amount + 0' } }, { select: ['id', 'v'] }];
      const { output, rejects } = run({ schema: { fields: [GERMAN] }, steps, write: plain }, input);
      const file = join(folder, 'numbers.csv');
      writeFileSync(file, input);
      const rows = await queryDuckDB(
        `SELECT id, amount FROM read_csv('${file}', delim = ';', header = true, ignore_errors = true,
         columns = {'id': 'INTEGER', 'amount': 'DOUBLE'}, decimal_separator = ',', thousands = '.')`,
      );
      const expected = new Map(rows.map(([id, value]) => [id, value]));
      const read = output.split('\n').slice(1, -1);
      for (const line of read) {
        const [id = '', value = ''] = line.split(';');
        expect(Number(value), texts[Number(id)]).toBe(Number(expected.get(id) ?? NaN));
      }
      expect(read.length).toBeGreaterThan(50);
      for (const { raw } of rejects) {
        const [id = '', text = ''] = raw.replaceAll('"', '').split(';');
        const isMisplaced = /(^|[^0-9])\.|\.([^0-9]|$)|[,e].*\./.test(text);
        expect(expected.has(id) && !isMisplaced, text).toBe(false);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('texts for true and false of a field', () => {
  const field = {
    name: 'b',
    type: 'boolean',
    trueValues: ['ja', 'x, y', '1'],
    falseValues: ['nein'],
  };

  it('are those and no others, exactly, and come out as true and false', () => {
    const { output, rejects } = run(
      { schema: { fields: [field] }, steps: [{ derive: { n: 'NOT b' } }], write: plain },
      'b;i\nja;1\n"x, y";2\nnein;3\n"1";4\n;5\nJa;6\ntrue;7\n0;8\n ja;9\n',
    );
    expect(output).toBe('b;i;n\ntrue;1;false\ntrue;2;false\nfalse;3;true\ntrue;4;false\n;5;\n');
    expect(rejects.map(({ raw, columnName }) => [raw, columnName])).toEqual(
      ['Ja;6', 'true;7', '0;8', ' ja;9'].map((raw) => [raw, 'b']),
    );
    expect(rejects[0]?.message).toContain('is not a boolean written with trueValues ["ja"');
  });

  it('leave the other side as it is where one is stated; what is stated comes first', () => {
    const fields = [{ name: 'b', type: 'boolean', falseValues: ['1', 'off'] }];
    const { output, rejects } = run({ schema: { fields } }, 'b\nYES\nt\n1\noff\nno\n');
    expect(output).toBe('b\ntrue\ntrue\nfalse\nfalse\n');
    expect(rejects.map(({ raw }) => raw)).toEqual(['no']);
  });
});

describe('notations in JSON', () => {
  it('hold for strings; numbers, booleans and null are what they are', () => {
    const fields = [
      { name: 'a', type: 'number', decimalChar: ',', groupChar: '.' },
      { name: 'b', type: 'boolean', trueValues: ['ja'] },
    ];
    const lines = [
      '{"a":"1.234,5","b":"ja"}',
      '{"a":1.5,"b":true}',
      '{"b":"no","a":"\\u0031,5"}',
      '{"a":null}',
      '{"a":"1.5","b":"ja"}',
      '{"a":"1.5 ","b":null}',
      '{"a":"","b":null}',
      '{"a":{"c":1},"b":null}',
      '{"a":7,"b":"true"}',
    ];
    const plan = parsePlan(JSON.stringify({ schema: { fields }, write: { format: 'ndjson' } }));
    const columns = fields.map(({ name }) => ({ name, type: 'string' as const }));
    const input = { format: 'ndjson', dialect: RFC_4180, columns } as const;
    const { context } = compilePlan(plan, input).waves[0];
    const run = createChunkProgram(context, kernel).run(Buffer.from(`${lines.join('\n')}\n`));
    expect(Buffer.concat(run.output).toString()).toBe(
      [
        '{"a":1234.5,"b":true}',
        '{"a":1.5,"b":true}',
        '{"a":1.5,"b":false}',
        '{"a":null,"b":null}',
        '{"a":15,"b":true}',
        '{"a":15,"b":null}\n',
      ].join('\n'),
    );
    const rejects = decodeRejects(run.rejects);
    expect(rejects.map(({ raw, column, line, code }) => [raw, column, line, code])).toEqual([
      [lines[6], 1, 6, 'type-error'],
      [lines[7], 1, 7, 'type-error'],
      [lines[8], 2, 8, 'type-error'],
    ]);
  });
});

describe('the context of a plan', () => {
  const contextsOf = (fields: object[]): string[] => {
    const plan = JSON.stringify({ schema: { fields }, steps: [{ sort: ['a'] }] });
    return runPlan(plan, 'a\n1\n').compiled.waves.map(({ context }) => JSON.stringify(context));
  };

  it('names notations where there are any, and in the wave that reads the input alone', () => {
    const number = { name: 'a', type: 'number' };
    const without = contextsOf([number]);
    expect(without.join()).not.toContain('notations');
    expect(contextsOf([{ ...number, decimalChar: '.' }])).toEqual(without);
    const stated = contextsOf([{ ...number, decimalChar: ',' }]);
    expect(stated[0]).toContain('notations');
    expect(stated.slice(1)).toEqual(without.slice(1));
  });
});
