import type { BinaryOperator, ComparisonOperator } from './ast.ts';

/** How tightly operators bind, loosest first. */
export const Power = {
  ...{ none: 0, or: 1, and: 2, not: 3, is: 4, comparison: 5, predicate: 6, concatenation: 7 },
  ...{ sum: 8, product: 9, power: 10, sign: 11, cast: 12 },
} as const;

export const COMPARISONS: Readonly<Record<string, ComparisonOperator>> = {
  '=': '=',
  '==': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

export const BINARIES: Readonly<Record<string, { operator: BinaryOperator; power: number }>> = {
  '||': { operator: '||', power: Power.concatenation },
  '+': { operator: '+', power: Power.sum },
  '-': { operator: '-', power: Power.sum },
  '*': { operator: '*', power: Power.product },
  '/': { operator: '/', power: Power.product },
  '//': { operator: '//', power: Power.product },
  '%': { operator: '%', power: Power.product },
  '^': { operator: '^', power: Power.power },
  '**': { operator: '^', power: Power.power },
};

/** Words that are no names of columns or functions. */
export const RESERVED = new Set(
  (
    'and or not in between is null like ilike true false case when then else end select from where ' +
    'group order by having limit offset union join on using as distinct all any some exists cast ' +
    'asc desc with into collate similar glob isnull notnull'
  ).split(' '),
);
