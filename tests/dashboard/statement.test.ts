import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { placeOf, statementOf, withStatement } from '../../dashboard-vue/src/plan/statement.ts';

describe('the statement of a plan', () => {
  it.each(['SELECT 1', ' a\n  b \n\nc\t', '"\'#: {[', '\n\n', 'ä\u00a0\\n', '- x: |'])(
    'comes back as %j was typed, and leaves no trace when it is taken out',
    (sql) => {
      const plan = withStatement('', sql) ?? '';
      expect(statementOf(plan)).toBe(sql);
      expect(withStatement(plan, '')).toBe('');
    },
  );

  it('takes the place of the steps, and leaves the rest with its comments', () => {
    const plan = 'version: 1\n# why\nread: { delim: ";" }\nsteps:\n  - select: [a]\n';
    const changed = withStatement(plan, 'FROM input') ?? '';
    expect(parse(changed)).toEqual({ version: 1, read: { delim: ';' }, sql: 'FROM input' });
    expect(changed).toContain('# why');
  });

  it('is not put into what is no plan', () => {
    expect(withStatement('[1, 2]', 'FROM input')).toBeNull();
    expect(statementOf('steps: [')).toBeNull();
  });

  it('has lines and columns', () => {
    expect(placeOf('ab\ncd', 4)).toEqual({ line: 2, column: 2 });
  });
});
