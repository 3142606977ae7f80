import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExpression } from '../../pipeline/plan/expression/parser.ts';
import { renderExpression } from '../../pipeline/plan/expression/render.ts';
import { expressionText } from '../support/expression-texts.ts';
import { runs } from '../support/runs.ts';

describe('an expression that is rendered', () => {
  it('is the same when it is parsed again', () => {
    let parsed = 0;
    fc.assert(
      fc.property(expressionText, (text) => {
        let ast: unknown;
        try {
          ast = withoutPlaces(parseExpression(text));
        } catch {
          return;
        }
        parsed += 1;
        const rendered = renderExpression(parseExpression(text));
        expect(withoutPlaces(parseExpression(rendered)), rendered).toEqual(ast);
      }),
      { numRuns: runs(5000) },
    );
    expect(parsed).toBeGreaterThan(3000);
  });

  it.each([
    ['a NOT IN (1,2)', 'a NOT IN (1, 2)'],
    ['NOT (a IS NULL)', 'a IS NOT NULL'],
    ['(a+b)*c - -(d)', '(a + b) * c - -d'],
    ['a - (b - c)', 'a - (b - c)'],
    ['- - 3', '-(-3)'],
    ['"select" || "x y" || Name', '"select" || "x y" || Name'],
    ["position('a' IN s) + strpos(s, 'a')", "position('a' IN s) + strpos(s, 'a')"],
    ["d + INTERVAL '1 year 36 hours'", "d + INTERVAL '12 month 1 day 43200 second'"],
    ['(a = b) = c', '(a = b) = c'],
    ['NOT a = b AND c OR d', 'NOT a = b AND c OR d'],
    ['x::integer', 'CAST(x AS integer)'],
  ])('%s is %s', (text, rendered) => {
    expect(renderExpression(parseExpression(text))).toBe(rendered);
  });
});

function withoutPlaces(ast: unknown): unknown {
  return JSON.parse(JSON.stringify(ast, (key, value: unknown) => (key === 'at' ? 0 : value)));
}
