import type { Join, Query } from './statement.ts';

/** Every join of a statement, those of its subqueries too, in order. */
export function queryJoins({ ctes, from, joins }: Query): Join[] {
  return [
    ...ctes.flatMap(({ query }) => queryJoins(query)),
    ...(from.kind === 'subquery' ? queryJoins(from.query) : []),
    ...joins,
  ];
}
