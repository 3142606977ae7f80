import { describe, expect, it } from 'vitest';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { runPlan } from '../support/run-plan.ts';

const types: Readonly<Record<string, ColumnType>> = { id: 'integer', n: 'integer', x: 'number' };
const INPUT =
  'id,n,x,s\n1,007,1.50, Ann \n2,,2.5,"b,c"\n3,-7,-0.5,"say ""hi"""\n4,9223372036854775807,1e3,Ärger\n';

/** Runs steps over the input at several chunk sizes, which must not matter. */
function run(steps: readonly unknown[], input = INPUT): { output: string; rejects: unknown[] } {
  const plan = JSON.stringify({ steps });
  const whole = runPlan(plan, input, { types });
  for (const chunkRecords of [1, 3]) {
    const cut = runPlan(plan, input, { types, chunkRecords });
    if (whole.compiled.shape === 'records') expect(cut.output.equals(whole.output)).toBe(true);
  }
  return { output: whole.output.toString(), rejects: [...whole.rejects] };
}

describe('computed columns', () => {
  it('stand last, or in the place of the column whose name they take; cells beside keep their bytes', () => {
    const steps = [{ derive: { x: 'x * 2', up: 'upper(s)' } }];
    expect(run(steps).output).toBe(
      'id,n,x,s,up\n1,007,3.0, Ann , ANN \n2,,5.0,"b,c","B,C"\n3,-7,-1.0,"say ""hi""","SAY ""HI"""\n' +
        '4,9223372036854775807,2000.0,Ärger,ÄRGER\n',
    );
  });

  it('are seen by the expressions, filters and selections behind them', () => {
    const steps = [
      { derive: { double: 'id * 2', four: 'double * 2' } },
      { filter: 'four > 4 AND double <> 8' },
      { rename: { four: 'f' } },
      { select: ['f', 's', 'double'] },
      { derive: { both: "f || '/' || double" } },
    ];
    expect(run(steps).output).toBe('f,s,double,both\n8,"b,c",4,8/4\n12,"say ""hi""",6,12/6\n');
  });

  it('reject the records for which they overflow or do not cast', () => {
    const { output, rejects } = run([{ derive: { more: 'n + 1' } }, { select: ['id', 'more'] }]);
    expect(output).toBe('id,more\n1,8\n2,\n3,-6\n');
    expect(rejects).toMatchObject([
      { record: 3, code: 'expression-error', column: null, raw: '4,9223372036854775807,1e3,Ärger' },
    ]);
    const cast = run([{ derive: { i: 'CAST(s AS integer)' } }]);
    expect(cast.rejects).toHaveLength(4);
    expect(cast.rejects[0]).toMatchObject({
      code: 'type-error',
      message: 'Value " Ann " is not an integer',
    });
  });

  it('are computed in the branch of CASE that a record takes, and nowhere else', () => {
    const steps = [{ derive: { y: 'CASE WHEN id < 4 THEN n + 1 ELSE 0 END' } }, { select: ['y'] }];
    expect(run(steps)).toEqual({ output: 'y\n8\n""\n-6\n0\n', rejects: [] });
  });

  it('keep int64 exact through filters, copies and aggregates', () => {
    const steps = [
      { derive: { a: 'n - 1', b: 'a', c: 'coalesce(a, 0)' } },
      { filter: 'c = 9223372036854775806' },
      { select: ['b', 'c'] },
    ];
    expect(run(steps).output).toBe('b,c\n9223372036854775806,9223372036854775806\n');
  });

  it('tell NULL from an empty text in CSV and JSON', () => {
    const derive = { empty: "''", none: 'NULL', flag: 'id > 2' };
    const plan = {
      steps: [{ derive }, { select: ['empty', 'none', 'flag'] }],
      write: { format: 'ndjson' },
    };
    const { output } = runPlan(JSON.stringify(plan), INPUT, { types });
    expect(output.toString().split('\n')[0]).toBe('{"empty":"","none":null,"flag":false}');
    expect(run(plan.steps).output.split('\n')[1]).toBe('"",,false');
  });
});

describe('record steps', () => {
  it.each<[string, unknown[], string]>([
    ['trim', [{ trim: ['s'] }], 'id,n,x,s\n1,007,1.50,Ann\n'],
    ['case', [{ case: { columns: ['s'], to: 'upper' } }], 'id,n,x,s\n1,007,1.50, ANN \n'],
    [
      'replace',
      [{ replace: { columns: ['s', 'x'], find: '5', with: '$&' } }],
      'id,n,x,s\n1,007,1.$&0, Ann \n',
    ],
    ['fill_null', [{ fill_null: { n: 0 } }], 'id,n,x,s\n1,007,1.50, Ann \n2,0,2.5,"b,c"\n'],
    [
      'map_values',
      [{ map_values: { id: { 1: 'one' } } }],
      'id,n,x,s\none,007,1.50, Ann \n2,,2.5,"b,c"\n',
    ],
    [
      'cast',
      [{ cast: { n: 'number', x: 'string' } }],
      'id,n,x,s\n1,7.0,1.50, Ann \n2,,2.5,"b,c"\n',
    ],
    ['reorder', [{ reorder: ['s', 'id'] }], 's,id,n,x\n Ann ,1,007,1.50\n'],
    [
      'merge',
      [{ merge: { columns: ['id', 'n'], with: '-', into: 'key' } }, { select: ['key'] }],
      'key\n1-007\n2\n',
    ],
    [
      'split',
      [{ split: { column: 's', by: ',', into: ['s', 'rest'] } }, { select: ['s', 'rest'] }],
      's,rest\n Ann ,\nb,c\n',
    ],
    [
      'hash',
      [{ hash: { columns: ['n'], algorithm: 'md5' } }, { select: ['n'] }],
      'n\n9e94b15ed312fa42232fd87a55db0d39\n',
    ],
    ['mask', [{ mask: { columns: ['s'], keep: 2 } }, { select: ['s'] }], 's\n***n \n"*,c"\n'],
  ])('%s', (_, steps, expected) => {
    const { output, rejects } = run(steps);
    expect(output.slice(0, expected.length)).toBe(expected);
    expect(rejects).toEqual([]);
  });

  it('split gives the last part what is left, and NULL where there is none', () => {
    const steps = [{ split: { column: 's', by: '-', into: ['a', 'b', 'c'] } }, { drop: ['s'] }];
    expect(run(steps, 's\n1-2-3-4\n1\n1--3\n').output).toBe('a,b,c\n1,2,3-4\n1,,\n1,"",3\n');
  });

  it('parse_date reads a format, and rejects what is not of it', () => {
    const { output, rejects } = run(
      [{ parse_date: { column: 's', format: '%d.%m.%Y' } }],
      's\n29.02.2024\n30.02.2024\n',
    );
    expect(output).toBe('s\n2024-02-29 00:00:00\n');
    expect(rejects).toMatchObject([{ record: 1, code: 'type-error' }]);
  });

  it('check rejects what is false and lets NULL through', () => {
    const { output, rejects } = run([
      { check: { expr: 'n + 1 > 0', name: 'positive' } },
      { select: ['id'] },
    ]);
    expect(output).toBe('id\n1\n2\n');
    expect(rejects).toMatchObject([
      { record: 2, code: 'constraint-error', message: 'The check "positive" is not met' },
      { record: 3, code: 'expression-error' },
    ]);
  });

  it('sample takes a share by content, whatever the chunks', () => {
    const input = `id,n,x,s\n${Array.from({ length: 5000 }, (_, i) => `${String(i)},1,1,a\n`).join('')}`;
    const { output } = run([{ sample: { fraction: 0.3, seed: 7 } }], input);
    const kept = output.split('\n').length - 2;
    expect(Math.abs(kept - 1500)).toBeLessThan(100);
    expect(run([{ sample: { fraction: 0 } }], input).output).toBe('id,n,x,s\n');
    expect(run([{ sample: { fraction: 1 } }], input).output).toBe(input);
  });
});

describe('constraints of the schema', () => {
  it('are checked in order, with their column', () => {
    const plan = `schema:
  fields:
    - { name: id, type: integer, constraints: { required: true, minimum: 2 } }
    - { name: s, constraints: { minLength: 2, maxLength: 4, enum: [ab, abc, a, abcde] } }
`;
    const input = 'id,s\n1,ab\n2,abc\n,ab\n3,a\n4,abcde\n5,zz\n6,\n';
    const { output, rejects } = runPlan(plan, input);
    expect(output.toString()).toBe('id,s\n2,abc\n6,\n');
    expect(
      rejects.map(({ record, column, code, message }) => [record, column, code, message]),
    ).toEqual([
      [0, 1, 'constraint-error', 'Column "id" is less than 2'],
      [2, 1, 'constraint-error', 'Column "id" needs a value'],
      [3, 2, 'constraint-error', 'Column "s" has a length below 2'],
      [4, 2, 'constraint-error', 'Column "s" has a length above 4'],
      [5, 2, 'constraint-error', 'Column "s" is none of the values'],
    ]);
  });
});
