import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { finalOutput } from '../support/aggregate-output.ts';
import { examplesOf } from '../support/document-examples.ts';
import { runPlan } from '../support/run-plan.ts';

const examples = examplesOf(readFileSync(new URL('../../docs/sql.md', import.meta.url), 'utf8'));

describe('docs/sql.md', () => {
  it.each(examples)('shows what this gives: $plan', ({ plan, input, output, lookups }) => {
    for (const chunkRecords of [Infinity, 1]) {
      expect(finalOutput(runPlan(plan, input, { chunkRecords, lookups })).toString()).toBe(output);
    }
  });

  it('has examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
  });
});
