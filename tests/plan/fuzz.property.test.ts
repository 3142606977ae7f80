import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../pipeline/errors.ts';
import { checkPlan } from '../../pipeline/plan/check.ts';
import { parseExpression } from '../../pipeline/plan/expression/parser.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { runs } from '../support/runs.ts';

const words = fc.constantFrom(
  ...['a', '"b c"', 'NOT', 'and', 'OR', 'in', '(', ')', ',', '=', '<>', '<', '>=', 'IS', 'NULL'],
  ...['between', 'like', 'ILIKE', "'x'", "'", '"', '1', '-', '9223372036854775808', '1.5', '1e400'],
  ...['*', '/', '%', '||', '^', 'WHEN', 'THEN', 'ELSE', 'END', 'CAST', 'AS', 'integer', 'DISTINCT'],
  ...['FROM', 'INTERVAL', 'DAY', 'coalesce', 'concat_ws', 'date_trunc', "'month'", 'position', 'x'],
  ...['DATE', "'2020-02-30'", 'true', 'CASE', '::', '+', '--', '/*', '*/', ' ', '\n', 'round', '.'],
);
const soup = fc.array(words, { maxLength: 30 }).map((parts) => parts.join(' '));
const text = fc.oneof(soup, fc.string({ maxLength: 60 }), fc.string({ unit: 'binary' }));

describe('the expression parser', () => {
  it('gives an expression or an error with its place, whatever the text', () => {
    fc.assert(
      fc.property(text, (source) => {
        try {
          const ast = parseExpression(source);
          expect(JSON.parse(JSON.stringify(ast))).toEqual(ast);
        } catch (thrown) {
          if (!(thrown instanceof SluiceError)) throw thrown;
          expect(['plan-invalid', 'plan-unsupported']).toContain(thrown.code);
          const { at } = thrown.details as { at: number };
          expect(at).toBeGreaterThanOrEqual(0);
          expect(at).toBeLessThanOrEqual(source.length);
        }
      }),
      { numRuns: runs(3000) },
    );
  });

  it('refuses nesting that is too deep and takes lists that are long', () => {
    expect(() => parseExpression(`${'('.repeat(100_000)}a`)).toThrow(/too deeply/);
    expect(() => parseExpression(`${'NOT '.repeat(100_000)}a`)).toThrow(/too deeply/);
    expect(() => parseExpression(`a${' IS NULL'.repeat(100_000)}`)).toThrow(/too deeply/);
    const long = parseExpression(`a = 1${' OR a = 1'.repeat(20_000)}`);
    expect(long).toMatchObject({ kind: 'or' });
    expect(() => parseExpression(`${'- '.repeat(100_000)}a`)).toThrow(/too deeply/);
    expect(() => parseExpression(`a${' + 1'.repeat(100_000)}`)).toThrow(/too deeply/);
    expect(() => parseExpression(`a${'::integer'.repeat(100_000)}`)).toThrow(/too deeply/);
    expect(() => parseExpression('CASE '.repeat(100_000))).toThrow(/too deeply/);
    expect(() => parseExpression('abs('.repeat(100_000))).toThrow(/too deeply/);
  });
});

describe('checkPlan', () => {
  const columns = [
    { name: 'a', type: 'integer' as const },
    { name: 'b c', type: 'string' as const },
  ];

  it('answers for any text, and for any expression against columns', () => {
    const input = { format: 'csv' as const, dialect: RFC_4180, columns };
    fc.assert(
      fc.property(text, (source) => {
        expect(typeof checkPlan(source, input).valid).toBe('boolean');
        const plan = JSON.stringify({ steps: [{ filter: source }] });
        const answer = checkPlan(plan, input);
        const derive = JSON.stringify({ steps: [{ derive: { x: source } }] });
        const measures = { m: source, n: `sum(${source})` };
        const aggregate = JSON.stringify({ steps: [{ aggregate: { measures } }] });
        expect(answer.valid).toBe(answer.issues.length === 0);
        for (const other of [derive, aggregate].map((json) => checkPlan(json, input))) {
          expect(other.valid).toBe(other.issues.length === 0);
        }
        for (const issue of answer.issues) expect(issue.line).toBe(1);
      }),
      { numRuns: runs(1500) },
    );
  });

  it('answers for any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const answer = checkPlan(JSON.stringify({ steps: value, read: value, write: value }));
        expect(answer.valid).toBe(answer.issues.length === 0);
      }),
    );
  });
});
