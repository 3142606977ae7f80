import { describe, expect, test } from 'vitest';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import { builtKernel } from '../support/kernel.ts';

/** All texts of up to `lengthMax` of these characters. */
function textsOf(characters: string, lengthMax: number): string[] {
  let longest = [''];
  const texts = [''];
  for (let length = 1; length <= lengthMax; length++) {
    longest = longest.flatMap((text) => [...characters].map((character) => text + character));
    texts.push(...longest);
  }
  return texts;
}

/** What comes of a sum for each text, and of a filter by it. */
function outcome(csv: Uint8Array, type: 'number' | 'integer', kernel: boolean): string {
  const columns = [
    { name: 'k', type: 'string' as const },
    { name: 'v', type },
  ];
  const plans = [
    { steps: [{ aggregate: { by: ['k'], measures: { total: 'sum(v)', n: 'count(v)' } } }] },
    { steps: [{ filter: 'v >= 1' }, { select: ['k'] }] },
  ];
  const outcomes = plans.map((plan) => {
    const text = JSON.stringify({ version: 1, limits: { max_rejects: 1e6 }, ...plan });
    const input = { format: 'csv', dialect: RFC_4180, columns } as const;
    const { context } = compilePlan(parsePlan(text), input).waves[0];
    const result = createChunkProgram(context, kernel ? builtKernel() : null).run(csv);
    const { statistics, output, partial, rejects } = result;
    expect(statistics.recordsIn).toBeGreaterThan(statistics.rejected);
    const bytes = Buffer.concat([...output, partial, rejects]);
    return JSON.stringify(statistics) + bytes.toString('latin1');
  });
  return outcomes.join('\n');
}

describe('short numbers', () => {
  const texts = [
    ...textsOf('019.-a', 4),
    ...textsOf('01.', 6),
    ...textsOf('1.', 9),
    ...textsOf('07.', 5).map((text) => `-${text}`),
    ...textsOf('/:,', 1).flatMap((odd) => [`1${odd}5`, `"1${odd}5"`, `12${odd}`, `"${odd}1"`]),
  ];

  test.each(['number', 'integer'] as const)('read as %s are what the reference reads', (type) => {
    const records = texts
      .map((text, i) => `k${i},${text}\n`)
      .filter((r) => r.split(',').length === 2);
    const csv = new TextEncoder().encode(records.join(''));
    // A boolean: of texts so long the difference takes minutes to find.
    expect(outcome(csv, type, true) === outcome(csv, type, false)).toBe(true);
  });
});
