import { expect, it } from 'vitest';
import { contextKey } from '../../pipeline/keys/index.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';

/** Keys of all contexts of a plan. */
function keys(plan: object): string[] {
  const columns = [
    { name: 'a', type: 'integer' },
    { name: 'b', type: 'string' },
  ] as const;
  const input = { format: 'csv', dialect: RFC_4180, columns } as const;
  const { waves } = compilePlan(parsePlan(JSON.stringify(plan)), input);
  return waves.map(({ context }) => contextKey(context));
}

it('plans that say the same have the same context keys, however they are spelled', () => {
  const plain = keys({ sql: 'SELECT a + 1 AS c FROM input WHERE a > 2 ORDER BY c' });
  const spaced = 'select  a+1  c\nFROM input -- all\nWHERE (a > 2)\nORDER BY\n c';
  expect(keys({ sql: spaced })).toEqual(plain);
  expect(keys({ sql: 'SELECT a + 2 AS c FROM input WHERE a > 2 ORDER BY c' })).not.toEqual(plain);
  const steps = (check: string, derive: string) => ({
    steps: [{ check: { expr: check, name: 'n' } }, { derive: { x: derive } }],
  });
  const tight = keys(steps("b<>'at'", 'CASE WHEN a=1 THEN 2 END'));
  expect(keys(steps(" b  <> 'at' ", 'case when a = 1 then 2 end'))).toEqual(tight);
  expect(keys(steps("b<>'at '", 'CASE WHEN a=1 THEN 2 END'))).not.toEqual(tight);
});
