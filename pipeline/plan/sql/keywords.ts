import { RESERVED } from '../expression/precedence.ts';

/** Words that go on with a statement, so that without AS they are no alias. */
const CLAUSES = new Set(
  (
    'from where group having order limit offset union intersect except window qualify fetch for ' +
    'join inner left right full outer cross natural semi anti asof positional lateral on using ' +
    'tablesample sample pivot unpivot exclude replace rename values returning at'
  ).split(' '),
);

/** Whether a word may be an alias that has no AS before it. */
export function isBareAlias(word: string): boolean {
  return !RESERVED.has(word.toLowerCase()) && !CLAUSES.has(word.toLowerCase());
}

/** What SQL has and Sluice has not, and what to do instead. */
export type Refusal = readonly [what: string, instead: string];

/** What SQL has behind a relation or a SELECT and Sluice has not, with what to do instead. */
export const REFUSED_CLAUSES: Readonly<Record<string, Refusal>> = {
  union: ['UNION', 'one SELECT; run one job for each'],
  intersect: ['INTERSECT', 'a SEMI JOIN with a lookup file'],
  except: ['EXCEPT', 'an ANTI JOIN with a lookup file; * EXCLUDE (...) leaves columns out'],
  window: ['WINDOW', 'GROUP BY, ORDER BY or DISTINCT ON'],
  qualify: ['QUALIFY', 'DISTINCT ON (...) keeps the first record of each group'],
  fetch: ['FETCH', 'LIMIT'],
  for: ['FOR', 'the end of the statement'],
  tablesample: ['TABLESAMPLE', 'the step sample of a plan'],
  using: ['USING SAMPLE', 'the step sample of a plan'],
  pivot: ['PIVOT', 'GROUP BY with aggregates that have a FILTER'],
  unpivot: ['UNPIVOT', 'one column for each value'],
  returning: ['RETURNING', 'the end of the statement'],
};

/** Calls that are no scalar functions and no aggregates. */
export const REFUSED_CALLS: Readonly<Record<string, Refusal>> = {
  ...Object.fromEntries(
    (
      'row_number rank dense_rank rank_dense percent_rank cume_dist ntile lag lead first_value ' +
      'last_value nth_value'
    )
      .split(' ')
      .map((name) => [
        name,
        [
          `The window function ${name}`,
          'GROUP BY, ORDER BY with LIMIT, or DISTINCT ON for the first record of each group',
        ],
      ]),
  ),
  columns: ['COLUMNS(...)', 'the columns by their names, or * EXCLUDE (...)'],
  unnest: ['unnest', 'a step split'],
  grouping: ['GROUPING', 'one GROUP BY'],
};

/** Tables that are made by something else than a name. */
export const REFUSED_RELATIONS: Readonly<Record<string, Refusal>> = {
  lateral: ['LATERAL', 'a subquery that names no other table'],
  values: ['VALUES', 'FROM input'],
  unnest: ['UNNEST', 'FROM input, and a step split'],
  pivot: ['PIVOT', 'GROUP BY with aggregates that have a FILTER'],
  unpivot: ['UNPIVOT', 'one column for each value'],
};
