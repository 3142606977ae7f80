import { describe, expect, it } from 'vitest';
import { decodeRejects } from '../../pipeline/result/relative-reject.ts';
import { rejectHeader, rejectLine } from '../../pipeline/result/reject-lines.ts';
import { builtKernel } from '../support/kernel.ts';
import { runPlan } from '../support/run-plan.ts';

const LOOKUP = { name: 'l.csv', text: 'k,v\n1,one\n', types: { k: 'integer' } } as const;

/** Step, code and text of each reject. */
function rejected(plan: string, input: string, withKernel = false): unknown[] {
  const { rejects } = runPlan(plan, input, {
    ...{ lookups: [LOOKUP], chunkRecords: 2 },
    ...(withKernel ? { kernel: builtKernel() } : {}),
  });
  return rejects.map(({ step, code, raw }) => [step, code, raw]);
}

describe('a reject says which step of the plan rejected it', () => {
  it.each([false, true])('by kind of step, with the kernel: %s', (withKernel) => {
    const plan = `
schema: { fields: [{ name: n, type: integer }, { name: a, constraints: { required: true } }] }
steps:
  - rename: { a: b }
  - derive: { half: 1 + CAST(c AS INTEGER) }
  - check: { expr: n < 5, name: small }
  - filter: CAST(d AS INTEGER) > 0
  - join: { with: l.csv, on: { e: k }, how: left }
  - derive: { f: "CAST(coalesce(v, b) AS INTEGER) + 1" }
`;
    const input = [
      ...['a,n,c,d,e', 'short', 'x,word,1,1,2', ',1,1,1,2', '7,1,word,1,2', '7,9,1,1,2'],
      ...['7,1,1,word,2', '7,1,1,1,word', '7,1,1,1,1', '7,1,1,1,2', ''],
    ].join('\n');
    expect(rejected(plan, input, withKernel)).toEqual([
      [null, 'missing-cell', 'short'],
      [null, 'type-error', 'x,word,1,1,2'],
      [null, 'constraint-error', ',1,1,1,2'],
      [2, 'type-error', '7,1,word,1,2'],
      [3, 'constraint-error', '7,9,1,1,2'],
      [4, 'type-error', '7,1,1,word,2'],
      [5, 'type-error', '7,1,1,1,word'],
      [6, 'type-error', '7,1,1,1,1'],
    ]);
  });

  it('behind a step over all records too, and by it', () => {
    const plan = `
steps:
  - cast: { a: integer }
  - unique: [a]
  - derive: { c: CAST(b AS INTEGER) + 1 }
`;
    const { rejects } = runPlan(plan, 'a,b\nx,1\n1,y\n1,2\n2,3\n', { chunkRecords: 2 });
    expect(rejects.map(({ step, code }) => [step, code]).sort()).toEqual([
      [1, 'type-error'],
      [2, 'unique-error'],
      [3, 'type-error'],
    ]);
    const typed = 'schema: { fields: [{ name: a, constraints: { unique: true } }] }';
    expect(rejected(typed, 'a\n1\n1\n')).toEqual([[null, 'unique-error', '1']]);
    expect(rejected('sql: SELECT a FROM input ORDER BY CAST(a AS INTEGER)', 'a\n2\nx\n')).toEqual([
      [1, 'type-error', 'x'],
    ]);
  });

  it('a check behind a sort has the places of the input; one behind a limit counts what came to it', () => {
    const placesOf = (steps: object[]) => {
      const { waves, output } = runPlan(JSON.stringify({ steps }), 'a\n3\n9\n1\n8\n2\n');
      const rejects = waves.map((results) => results.flatMap((one) => decodeRejects(one.rejects)));
      const places = rejects.map((ofWave) =>
        ofWave.map(({ line, step, raw }) => [line, step, raw]),
      );
      return [places, output.toString()];
    };
    const checked = [{ check: { expr: "a <> '9'" } }, { check: { expr: "a <> '8'" } }];
    expect(placesOf([{ sort: ['a'] }, ...checked, { limit: 2 }])).toEqual([
      [
        [
          [1, 2, '9'],
          [3, 3, '8'],
        ],
        [],
        [],
      ],
      'a\n1\n2\n',
    ]);
    expect(placesOf([{ limit: 2 }, ...checked])).toEqual([[[], [[0, 2, '9']]], 'a\n3\n']);
  });

  it('in an aggregate, and in the file of rejects', () => {
    const plan = 'steps: [{ aggregate: { measures: { s: sum(CAST(a AS INTEGER)) } } }]';
    const { rejects } = runPlan(plan, 'a\n1\nx\n');
    expect(rejectHeader('csv')).toContain('columnName,step,code');
    expect(
      rejects.map((reject) => rejectLine({ ...reject, chunk: 0, wave: 0, derived: false }, 'csv')),
    ).toEqual([expect.stringMatching(/^1,1,2,.*,1,type-error,/)]);
  });
});
