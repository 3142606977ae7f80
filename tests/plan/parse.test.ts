import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../pipeline/errors.ts';
import { checkPlan } from '../../pipeline/plan/check.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import { STEP_SCHEMAS } from '../../pipeline/plan/schema.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import type { PlanIssue } from '../../pipeline/protocol/plan-check.ts';

function refused(text: string): { code: string; issues: readonly PlanIssue[] } {
  try {
    parsePlan(text);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    return { code: thrown.code, issues: thrown.details.issues as PlanIssue[] };
  }
  throw new Error('the plan was taken');
}

describe('parsePlan', () => {
  it('reads an empty text as the plain job', () => {
    const plan = parsePlan('');
    expect(plan.steps).toBeNull();
    expect(plan.read.onError).toBe('reject');
    expect(plan.write).toMatchObject({ format: 'csv', delim: ',', header: true });
  });

  it('reads the same plan from YAML and from JSON', () => {
    const yaml = parsePlan('version: 1\nsteps:\n  - select: [a, b]\n  - filter: "a = 1"\n');
    const json = parsePlan(
      '{"version": 1, "steps": [{"select": ["a", "b"]}, {"filter": "a = 1"}]}',
    );
    expect({ ...yaml, places: [] }).toEqual({ ...json, places: [] });
  });

  it('keeps a column named __proto__ as data', () => {
    const plan = parsePlan('steps:\n  - rename: { __proto__: a, constructor: b }\n');
    const names = [
      { from: '__proto__', to: 'a' },
      { from: 'constructor', to: 'b' },
    ];
    expect(plan.steps).toEqual([{ kind: 'rename', names }]);
    expect(refused('{"__proto__": 1}').issues[0]?.message).toContain('Unknown key "__proto__"');
  });

  it('tells the place and the near miss of an unknown key', () => {
    const { code, issues } = refused('read:\n  deilm: ";"\n  skip: -1\n');
    expect(code).toBe('plan-invalid');
    expect(issues[0]).toMatchObject({ path: '/read/deilm', line: 2, column: 3 });
    expect(issues[0]?.message).toContain('Did you mean "delim"?');
    expect(issues[1]).toMatchObject({ path: '/read/skip', line: 3, column: 9 });
  });

  it('tells the place inside an expression, in one line and in a block', () => {
    const text = 'steps:\n  - filter: "a = = 1"\n  - filter: |\n      a = 1\n      AND b > >\n';
    const { issues } = refused(text);
    expect(issues[0]).toMatchObject({ path: '/steps/0/filter', line: 2, column: 18 });
    expect(issues[1]).toMatchObject({ path: '/steps/1/filter', line: 5, column: 15 });
  });

  it.each(Object.keys(STEP_SCHEMAS))('knows the step %s', (name) => {
    expect(refused(`steps:\n  - ${name}: [[]]\n`).code).toBe('plan-invalid');
  });

  it.each([
    [{ sort: ['a', { by: 'b', desc: true }] }, { keys: [key('a'), key('b', true)] }],
    [{ sort: [{ by: 'a', nulls: 'first' }] }, { keys: [key('a', false, 'first')] }],
    [{ top_k: { by: ['a'], k: 3 } }, { kind: 'top_k', keys: [key('a')], count: 3 }],
    [{ limit: 3 }, { kind: 'limit', count: 3, offset: 0 }],
    [{ limit: { offset: 2 } }, { kind: 'limit', count: null, offset: 2 }],
    [{ dedupe: {} }, { kind: 'dedupe', by: [], keep: 'first' }],
    [{ dedupe: { by: ['a'], keep: 'last' } }, { kind: 'dedupe', by: ['a'], keep: 'last' }],
    [{ unique: ['a', 'b'] }, { kind: 'unique', columns: ['a', 'b'] }],
  ])('reads the global step %j', (step, expected) => {
    expect(parsePlan(JSON.stringify({ steps: [step] })).steps).toMatchObject([expected]);
  });

  it.each([
    ['schema: { fields: [{ name: a, type: date, format: "%d" }] }', '/schema/fields/0/format'],
    [
      'steps: [{ aggregate: { measures: { n: "stddev(distinct a)" } } }]',
      '/steps/0/aggregate/measures/n',
    ],
    ['steps: [{ aggregate: { measures: { n: "list(a)" } } }]', '/steps/0/aggregate/measures/n'],
    ['steps: [{ filter: "a = (SELECT 1)" }]', '/steps/0/filter'],
    ['steps: [{ filter: "a::float = 2" }]', '/steps/0/filter'],
    ['steps: [{ filter: "a.b = 1" }]', '/steps/0/filter'],
  ])('refuses %s as not supported yet', (text, path) => {
    const { code, issues } = refused(text);
    expect(code).toBe('plan-unsupported');
    expect(issues[0]).toMatchObject({ path, line: 1 });
    expect(issues[0]?.message).toContain('not supported yet');
  });

  it('refuses aliases that grow beyond bounds, deep nesting and long plans', () => {
    const lines = ['a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]'];
    for (let i = 1; i < 9; i++) {
      lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(',')}]`);
    }
    expect(refused(lines.join('\n')).issues[0]?.message).toContain('too many values');
    expect(refused('a: &a [*a]').code).toBe('plan-invalid');
    expect(refused('['.repeat(100_000)).issues[0]?.message).toContain('nested too deeply');
    expect(refused(`a: ${'- '.repeat(50_000)}`).code).toBe('plan-invalid');
    expect(refused(' '.repeat(1_100_000)).code).toBe('plan-invalid');
  });

  it('refuses duplicate keys and what is not YAML', () => {
    expect(refused('version: 1\nversion: 1\n').issues[0]).toMatchObject({ line: 2 });
    expect(refused('steps: [').code).toBe('plan-invalid');
    expect(refused('just a text').code).toBe('plan-invalid');
  });
});

describe('checkPlan', () => {
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'Name', type: 'string' },
    { name: 'born', type: 'date' },
  ] as const;
  const input = { format: 'csv', dialect: RFC_4180, columns: [...columns] } as const;

  it.each([
    ["born AT TIME ZONE 'UTC'", 5, 'All times are in UTC'],
    ['CAST(born AS TIMESTAMP WITH TIME ZONE)', 23, 'All times are in UTC'],
    ['born::timestamptz', 6, 'All times are in UTC'],
    ["timezone('UTC', born)", 0, 'All times are in UTC'],
    ['now()', 0, 'depends on when it runs'],
    ['current_date', 0, 'depends on when it runs'],
    ['random()', 0, 'gives another value each time'],
  ])('says why there is no %s, in a step and in a statement', (text, offset, why) => {
    const step = checkPlan(JSON.stringify({ steps: [{ derive: { x: text } }] }), input);
    const statement = checkPlan(JSON.stringify({ sql: `SELECT ${text} FROM input` }), input);
    for (const [answer, at] of [
      [step, offset],
      [statement, offset + 'SELECT '.length],
    ] as const) {
      expect(answer).toMatchObject({ valid: false, issues: [{ offset: at }] });
      const [issue] = answer.valid ? [] : answer.issues;
      expect(issue?.message).toContain(why);
      expect(issue?.expected).not.toContain('CASE, CAST');
    }
  });

  it('takes a column whose name is that of a clock', () => {
    const named = { ...input, columns: [{ name: 'current_date', type: 'date' }] } as const;
    expect(checkPlan('steps: [{ derive: { x: current_date } }]', named).valid).toBe(true);
    expect(checkPlan('sql: SELECT current_date AS at FROM input', named).valid).toBe(true);
  });

  it('says where in a statement a function is that does not take its values, and nothing twice', () => {
    const issuesOf = (sql: string) => {
      const answer = checkPlan(`sql: ${JSON.stringify(sql)}`, input);
      return answer.valid ? [] : answer.issues.map(({ offset, message }) => [offset, message]);
    };
    expect(issuesOf('SELECT id, avg(born) FROM input GROUP BY id')).toEqual([
      [15, 'avg of the date column "born"'],
    ]);
    expect(issuesOf('SELECT median(name) m FROM input HAVING max(id) > 1')).toEqual([
      [14, 'median of the string column "Name"'],
    ]);
    expect(issuesOf('SELECT count(DISTINCT *) FROM input')).toHaveLength(1);
    expect(issuesOf('SELECT sum(id) FILTER (WHERE id) FROM input')).toHaveLength(1);
    const quoted = checkPlan('sql: SELECT id FROM input WHERE name = "Ana"', input);
    expect(JSON.stringify(quoted)).toContain('a text stands in single quotes');
    expect(JSON.stringify(issuesOf('SELECT now() FROM input'))).toContain(
      'depends on when it runs',
    );
  });

  it('answers with the scope of each step', () => {
    const text =
      "steps:\n  - filter: name = 'a'\n  - aggregate: { by: [name], measures: { n: count(*) } }";
    const left = [columns[1], { name: 'n', type: 'integer' }];
    expect(checkPlan(text, input)).toEqual({
      valid: true,
      issues: [],
      steps: [
        { kind: 'filter', scope: 'record', text: "name = 'a'", wave: 1, lastWave: 1, columns },
        {
          ...{
            kind: 'aggregate',
            scope: 'mergeable',
            text: 'n = count(*) by name',
            wave: 1,
            lastWave: 2,
          },
          columns: left,
        },
      ],
      waves: 2,
      outputColumns: left,
      lookups: [],
    });
  });

  it.each([
    ['steps:\n  - select: [id, nmae]', '/steps/0/select/1', 2, 18, 'Did you mean "Name"?'],
    ['steps:\n  - filter: idd = 1', '/steps/0/filter', 2, 13, 'no column "idd"'],
    ["steps:\n  - filter: id = 'x'", '/steps/0/filter', 2, 18, 'is not an integer'],
    ['steps:\n  - filter: born > 5', '/steps/0/filter', 2, 18, 'cannot be compared'],
    ["steps:\n  - filter: born > '2020-13-01'", '/steps/0/filter', 2, 20, 'is not a date'],
    ['steps:\n  - filter: id', '/steps/0/filter', 2, 13, 'not a condition'],
    ['steps:\n  - drop: [id, name, born]', '/steps/0/drop', 2, 11, 'No column is left'],
    ['steps:\n  - rename: { id: Name }', '/steps/0/rename', 2, 13, 'Two columns'],
    [
      'steps:\n  - aggregate: { measures: { s: sum(born) } }',
      '/steps/0/aggregate/measures/s',
      2,
      37,
      'sum of the date',
    ],
  ])('finds what is wrong in %j', (text, path, line, column, message) => {
    const answer = checkPlan(text, input);
    expect(answer.valid).toBe(false);
    expect(answer.issues[0]).toMatchObject({ path, line, column });
    expect(answer.issues[0]?.message).toContain(message);
  });

  it.each([
    ['id + Name', 4, '+ does not take (integer, string)'],
    ['lower(id)', 1, 'lower does not take (integer)'],
    ['lowre(Name)', 1, 'Did you mean "lower"'],
    ['year(Name)', 1, 'year does not take (string)'],
    ['1 + cuont(*)', 5, 'Did you mean "count"'],
    ['1 + round(*)', 11, 'Unexpected "*"'],
    ['sum(id) + 1', 1, 'sum is an aggregate function'],
    ['count(*) + 1', 1, 'count is an aggregate function'],
    [`regexp_matches(Name, '${'x'.repeat(10_001)}')`, 22, 'more than 10000'],
    ['1 + regexp_extract_all(Name)', 5, 'not supported yet'],
    ['CASE WHEN id THEN 1 END', 11, 'not a condition'],
    ['coalesce(id, born)', 1, 'several types'],
    ["date_part('yaer', born)", 11, 'A part of a date stands first'],
    ['born::integer', 5, 'does not cast to integer'],
    ['id = 99999999999999999999 + 1', 6, 'more than 64 bits'],
    ['INTERVAL 1 DAY', 1, 'An interval stands alone'],
    ["born + INTERVAL '1 dya'", 17, 'is not an interval'],
    ['CAST(id AS intger)', 12, 'Unexpected "intger"'],
    ['substr(Name)', 1, 'substr does not take (string)'],
    ['nullif(Name, 5, 6)', 1, 'nullif does not take 3 values'],
    ['born * 2', 6, '* does not take (date, integer)'],
  ])('finds the place in the expression %j', (expression, column, message) => {
    const answer = checkPlan(`steps:\n  - derive:\n      x: |\n        ${expression}\n`, input);
    expect(answer.issues).toMatchObject([
      { path: '/steps/0/derive/x', line: 4, column: column + 8 },
    ]);
    expect(answer.issues[0]?.message).toContain(message);
  });

  it.each([
    ['SELECT i.id FROM input i JOIN input j ON i.id = j.id', 'A join with "input"'],
    ['WITH t AS (SELECT * FROM input) SELECT * FROM input JOIN t ON id = t.id', 'A join with "t"'],
    ['SELECT id FROM input WHERE when > 1', 'Unexpected "when"'],
  ])('refuses %s, with or without columns', (sql, message) => {
    for (const known of [input, undefined]) {
      const { issues } = checkPlan(JSON.stringify({ sql }), known);
      expect(issues[0]?.message).toContain(message);
    }
  });

  it('blames no step for a column that could not be computed', () => {
    const steps = '[{ derive: { x: born + Name, y: x } }, { filter: x = y }, { select: [x, y] }]';
    const { issues } = checkPlan(`steps: ${steps}`, input);
    expect(issues).toMatchObject([{ path: '/steps/0/derive/x' }]);
  });

  it.each([
    ['fill_null: { id: many }', '/steps/0/fill_null/id', 'is not an integer'],
    ['cast: { id: intger }', '/steps/0/cast/id', 'is not a type'],
    ['cast: { born: number }', '/steps/0/cast/born', 'does not cast'],
    ['trim: [nmae]', '/steps/0/trim/0', 'no column "nmae"'],
    ['derive: { x: coalesce(Name, born) }', '/steps/0/derive/born)', 'nothing behind "born)"'],
    ['check: { expr: id + 1 }', '/steps/0/check/expr', 'not a condition'],
    [
      'aggregate: { by: [{ y: year(id) }], measures: { n: count(*) } }',
      '/steps/0/aggregate/by/0',
      'does not take',
    ],
    [
      'aggregate: { measures: { n: "round(avg(id), 1)" } }',
      '/steps/0/aggregate/measures/n',
      'round is a function of values',
    ],
    [
      'aggregate: { measures: { n: bool_and(id) } }',
      '/steps/0/aggregate/measures/n',
      'bool_and of the integer',
    ],
  ])('finds what is wrong in the step %s', (step, path, message) => {
    const answer = checkPlan(`steps:\n  - ${step}\n`, input);
    expect(answer.issues[0]).toMatchObject({ path, line: 2 });
    expect(answer.issues[0]?.message).toContain(message);
  });
});

function key(column: string, desc = false, nulls = 'last'): object {
  return { column, desc, nulls };
}
