import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AGGREGATES } from '../../pipeline/plan/aggregate-names.ts';
import { functionNames } from '../../pipeline/plan/expression/functions.ts';
import { STEP_SCHEMAS } from '../../pipeline/plan/schema.ts';
import { finalOutput } from '../support/aggregate-output.ts';
import { examplesOf } from '../support/document-examples.ts';
import { runPlan } from '../support/run-plan.ts';

const text = readFileSync(new URL('../../docs/plan.md', import.meta.url), 'utf8');

/** A row of the tables of expressions: `what` it says, `example`, and the value that it gives. */
interface Row {
  readonly example: string;
  readonly value: string | null;
}

/** The rows as they stand, and once more with every other name of the function that they tell of. */
const rows: Row[] = [...text.matchAll(/^\| (.*) +\| `(.+)` +\| (?:`(.*)`|(NULL)) +\|$/gm)].flatMap(
  ([, what = '', written = '', value = null]) => {
    const example = written.replaceAll('\\|', '|');
    const [, name = ''] = /^`(\w+)\(/.exec(what) ?? [];
    const others = name === '' ? [] : [...what.matchAll(/`(\w+)`/g)].map(([, other = '']) => other);
    const calls = others.map((other) => example.replaceAll(`${name}(`, `${other}(`));
    return [example, ...calls].map((call) => ({ example: call, value }));
  },
);

describe('docs/plan.md', () => {
  const examples = examplesOf(text);

  it.each(examples)('shows what this gives: $plan', ({ plan, input, output, lookups }) => {
    for (const chunkRecords of [Infinity, 1]) {
      expect(finalOutput(runPlan(plan, input, { chunkRecords, lookups })).toString()).toBe(output);
    }
  });

  it.each(rows)('says what $example is', ({ example, value }) => {
    const steps = [{ derive: { v: `CAST((${example}) AS string)` } }];
    const plan = JSON.stringify({ steps, write: { format: 'ndjson' } });
    const { v } = JSON.parse(runPlan(plan, 'a\n1\n').output.toString()) as { v: string | null };
    expect(v).toBe(value);
  });

  it('has an example of every function, aggregate and step, which the tests above run', () => {
    const calls = (name: string, where: string): boolean =>
      new RegExp(`\\b${name} *\\(`, 'i').test(where);
    const expressions = rows.map(({ example }) => example).join('\n');
    expect(functionNames().filter((name) => !calls(name, expressions))).toEqual([]);
    const plans = examples.map(({ plan }) => plan).join('\n');
    expect(Object.keys(AGGREGATES).filter((name) => !calls(name, plans))).toEqual([]);
    const isUsed = (step: string): boolean => new RegExp(`^ *- ${step}:`, 'm').test(plans);
    expect(Object.keys(STEP_SCHEMAS).filter((step) => !isUsed(step))).toEqual([]);
  });
});
