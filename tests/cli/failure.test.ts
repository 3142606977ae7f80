import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../pipeline/errors.ts';
import { describeFailure, EXIT, exitCodeFor } from '../../cli/failure.ts';

describe('a plan that does not compile', () => {
  const text = 'version: 1\nsteps:\n  - filter: "amount >"\n';
  const error = new SluiceError('plan-invalid', 'the expression ends too early', {
    details: {
      issues: [
        {
          message: 'the expression ends too early',
          path: '/steps/0/filter',
          line: 3,
          column: 22,
          expected: 'a value',
        },
      ],
    },
  });

  it('is shown with file, line, column, the line itself and a caret under the place', () => {
    const shown = describeFailure(error, { origin: 'plan.yaml', text }).split('\n');
    expect(shown[0]).toBe('plan.yaml:3:22: the expression ends too early; expected a value');
    expect(shown[1]).toBe('  3 |   - filter: "amount >"');
    expect(shown[2]?.indexOf('^')).toBe((shown[1]?.indexOf(' | ') ?? 0) + 3 + 21);
  });

  it('is shown in the statement that --sql gives, on its own line', () => {
    const issue = { message: 'no such column (character 17)', path: '/sql', line: 2, column: 6 };
    const details = { issues: [{ ...issue, offset: 16, expected: 'a' }] };
    const sql = 'SELECT a,\n  b + zz FROM input';
    const wrong = new SluiceError('plan-invalid', 'no such column', { details });
    const shown = describeFailure(wrong, { origin: '--sql', text: 'sql: "..."', sql }).split('\n');
    expect(shown).toEqual([
      '--sql:2:7: no such column; expected a',
      '  2 |   b + zz FROM input',
      '    |       ^',
    ]);
  });

  it('is shown by its message alone when the plan has no text', () => {
    expect(describeFailure(error, null)).toBe('sluice: the expression ends too early');
  });
});

describe('exit codes', () => {
  it('tell wrong usage, rejects over budget and failure apart', () => {
    expect(exitCodeFor('usage')).toBe(EXIT.usage);
    expect(exitCodeFor('plan-unsupported')).toBe(EXIT.usage);
    expect(exitCodeFor('rejects-over-budget')).toBe(EXIT.rejectsOverBudget);
    expect(exitCodeFor('disk-full')).toBe(EXIT.failed);
  });
});

describe('an error of the input', () => {
  it('names the place that the error carries', () => {
    const error = new SluiceError('input-malformed', 'an open quote', {
      details: { record: 7, line: 9 },
    });
    expect(describeFailure(error, null)).toBe('sluice: an open quote (record 7, line 9)');
  });
});
