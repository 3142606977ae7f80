import {
  RegularExpression,
  RegularExpressionCache,
  RegularExpressionError,
  Replacement,
} from '../../values/regular-expression.ts';
import { LikePattern } from '../like.ts';
import { perRecord, ValueFault, type Kernel, type Outcome } from './kernel.ts';

const GROUP_MAX = 9;
const NO_GROUP = new ValueFault(`A group's number is 0 to ${String(GROUP_MAX)}`);

const expressions = new RegularExpressionCache(
  (pattern, options) => new RegularExpression(pattern, options),
);
const replacements = new RegularExpressionCache((text) => new Replacement(text));
const likePatterns = new RegularExpressionCache(
  (pattern, options) => new LikePattern(pattern, options.startsWith('i'), options.slice(1)),
);

const matches = perRecord((text: string, pattern: string, options?: string) =>
  withExpression(pattern, options, (expression) => expression.test(text)),
);
const fullMatch = perRecord((text: string, pattern: string, options?: string) =>
  withExpression(pattern, options, (expression) => expression.testWhole(text)),
);
const extract = perRecord(
  (text: string, pattern: string, group: number | bigint = 0, options?: string) => {
    const number = Number(group);
    if (number < 0 || number > GROUP_MAX) return NO_GROUP;
    return withExpression(pattern, options, (expression) => expression.extract(text, number));
  },
);
const replace = perRecord((text: string, pattern: string, by: string, options?: string) =>
  withExpression(pattern, options, (expression) => {
    const replacement = replacements.get(by);
    if (replacement instanceof RegularExpressionError) return new ValueFault(replacement.message);
    return expression.replace(text, replacement);
  }),
);

/** Functions of patterns, by signature. */
export const PATTERN_KERNELS: Readonly<Record<string, Kernel>> = {
  'regexp_matches(string, string)': matches,
  'regexp_matches(string, string, string)': matches,
  'regexp_full_match(string, string)': fullMatch,
  'regexp_full_match(string, string, string)': fullMatch,
  'regexp_extract(string, string)': extract,
  'regexp_extract(string, string, integer)': extract,
  'regexp_extract(string, string, integer, string)': extract,
  'regexp_replace(string, string, string)': replace,
  'regexp_replace(string, string, string, string)': replace,
  'like pattern(string, string, string)': perRecord(
    (text: string, pattern: string, options: string) => {
      const like = likePatterns.get(pattern, options);
      return like instanceof RegularExpressionError
        ? new ValueFault(like.message)
        : like.matchesText(text);
    },
  ),
};

function withExpression(
  pattern: string,
  options: string | undefined,
  use: (expression: RegularExpression) => Outcome,
): Outcome {
  const expression = expressions.get(pattern, options);
  if (expression instanceof RegularExpressionError) return new ValueFault(expression.message);
  return use(expression);
}
