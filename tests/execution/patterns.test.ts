import { describe, expect, it } from 'vitest';
import { runPlan } from '../support/run-plan.ts';

function derived(expression: string, input = 's,p\nabc,b\n'): string {
  const plan = JSON.stringify({ steps: [{ derive: { v: expression } }, { select: ['v'] }] });
  return runPlan(plan, input).output.toString();
}

describe('patterns', () => {
  it.each([
    ["regexp_matches(s, '(')", 18, 'missing closing )'],
    ["regexp_matches(s, 'a', 'x')", 23, 'option "x" is not known'],
    ["regexp_matches(s, 'a', 'g')", 23, 'has no option g'],
    ["regexp_matches(s, 'a', p)", 23, 'Options of a pattern are a literal'],
    ["regexp_extract(s, '(?=a)')", 18, 'unsupported Perl syntax'],
    ["regexp_replace(s, 'a', '\\x')", 23, 'The replacement is not valid'],
    ["s LIKE 'a!' ESCAPE '!'", 7, 'ends with its escape character'],
    ["s LIKE 'a' ESCAPE 'ab'", 18, "Unexpected string 'ab'"],
  ])('that are not valid are refused at their place: %s', (filter, at, message) => {
    const run = (): unknown => runPlan(`steps:\n- derive:\n    v: ${filter}\n`, 's,p\n');
    expect(run).toThrow(message);
    expect(run).toThrow(`line 3, column ${String(at + 8)}`);
  });

  it('of a column reject the records where they are not valid', () => {
    const plan = JSON.stringify({ steps: [{ derive: { v: 'regexp_extract(s, p)' } }] });
    const { output, rejects } = runPlan(plan, 's,p\nabc,b.\nabc,(\nabc,\n');
    expect(output.toString()).toBe('s,p,v\nabc,b.,bc\nabc,,\n');
    expect(rejects).toMatchObject([{ record: 1, code: 'expression-error' }]);
  });

  it('take linear time where backtracking would take for ever', () => {
    const text = 'a'.repeat(50_000);
    expect(derived("regexp_matches(s, '(a*)*b')", `s\n${text}\n`)).toBe('v\nfalse\n');
    expect(derived("length(regexp_replace(s, '(a|aa)+$', ''))", `s\n${text}\n`)).toBe('v\n0\n');
  });

  it('match line ends by a dot with option s alone', () => {
    const input = 's\n"a\nb"\n';
    expect(derived("regexp_matches(s, 'a.b')", input)).toBe('v\nfalse\n');
    expect(derived("regexp_matches(s, 'a.b', 's')", input)).toBe('v\ntrue\n');
  });

  it('replace in a step, with groups', () => {
    const step = { columns: ['s'], find: '(\\d+)-(\\d+)', with: '\\2/\\1', regex: true };
    const { output } = runPlan(JSON.stringify({ steps: [{ replace: step }] }), 's\n1-2 3-4\n-\n');
    expect(output.toString()).toBe('s\n2/1 4/3\n-\n');
  });

  it('constrain a field as a whole, and let NULL through', () => {
    const fields = [{ name: 's', constraints: { pattern: '[A-Z]{2}\\d+|-' } }];
    const { output, rejects } = runPlan(
      JSON.stringify({ schema: { fields } }),
      's,t\nAB1,x\nAB1C,x\n-,x\n,x\n',
    );
    expect(output.toString()).toBe('s,t\nAB1,x\n-,x\n,x\n');
    expect(rejects).toMatchObject([
      {
        record: 1,
        columnName: 's',
        code: 'constraint-error',
        message: 'Column "s" does not match the pattern',
      },
    ]);
    const wrong = JSON.stringify({
      schema: { fields: [{ name: 's', constraints: { pattern: '(' } }] },
    });
    expect(() => runPlan(wrong, 's\n')).toThrow(/missing closing \)/);
  });
});
