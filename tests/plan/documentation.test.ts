import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { functionNames } from '../../pipeline/plan/expression/functions.ts';
import { STEP_SCHEMAS } from '../../pipeline/plan/schema.ts';
import { finalOutput } from '../support/aggregate-output.ts';
import { examplesOf } from '../support/document-examples.ts';
import { runPlan } from '../support/run-plan.ts';

const text = readFileSync(new URL('../../docs/plan.md', import.meta.url), 'utf8');

describe('docs/plan.md', () => {
  const examples = examplesOf(text);

  it.each(examples)('shows what this gives: $plan', ({ plan, input, output, lookups }) => {
    for (const chunkRecords of [Infinity, 1]) {
      expect(finalOutput(runPlan(plan, input, { chunkRecords, lookups })).toString()).toBe(output);
    }
  });

  const rows = [...text.matchAll(/^\| .* \| `(.*)` \| (?:`(.*)`|(NULL)) \|$/gm)];

  it.each(rows.map(([, example = '', value]) => [example.replaceAll('\\|', '|'), value] as const))(
    'says what %s is',
    (expression, value) => {
      const steps = [{ derive: { v: `CAST((${expression}) AS string)` } }];
      const plan = JSON.stringify({ steps, write: { format: 'ndjson' } });
      const { v } = JSON.parse(runPlan(plan, 'a\n1\n').output.toString()) as { v: string | null };
      expect(v).toBe(value ?? null);
    },
  );

  it('shows every function and every step that works', () => {
    const named = functionNames().filter((name) => !new RegExp(`\\b${name}\\b`, 'i').test(text));
    expect(named.filter((name) => !ALIASES.includes(name))).toEqual([]);
    const steps = Object.keys(STEP_SCHEMAS).filter((name) => !text.includes(name));
    expect(steps).toEqual([]);
  });
});

/** Other names that the page leaves out. */
const ALIASES = [
  ...['char_length', 'character_length', 'datepart', 'datetrunc', 'datediff', 'weekofyear'],
];
