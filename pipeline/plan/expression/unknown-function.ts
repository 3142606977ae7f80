import { AGGREGATES, isAggregate } from '../aggregate-names.ts';
import { suggestion } from '../suggest.ts';
import { functionNames } from './functions.ts';
import { impureFunction, zoned } from './impure.ts';
import { expressionError } from './lexer.ts';

/** Functions of DuckDB that are not built. */
const LATER = new Set(
  (
    'regexp_extract_all regexp_split_to_array hash list_value struct_pack printf format repeat ' +
    'ascii chr translate initcap cbrt sin cos tan asin acos atan atan2 pi degrees radians trunc ' +
    'gcd lcm even factorial isnan isinf isfinite last_day date_add date_sub make_timestamp ' +
    'epoch age levenshtein jaccard soundex sha1 base64 unhex hex to_json if iif'
  ).split(' '),
);

/** The error of a call of what is no function of an expression: one that is not built, an aggregate
 *  where there is none, or a name with what was meant by it. */
export function unknownFunction(name: string, at: number): Error {
  const word = name.toLowerCase();
  const impure = impureFunction(name, at);
  if (impure !== null) return impure;
  if (word === 'timezone') return zoned('The function timezone', at);
  if (LATER.has(word)) {
    const message = `The function ${name} is not supported yet`;
    return expressionError(message, at, 'another function', 'plan-unsupported');
  }
  if (isAggregate(word)) {
    const expected =
      'it in the measures of an aggregate step, whose columns the steps behind it see';
    return expressionError(`${name} is an aggregate function`, at, expected);
  }
  const hint = suggestion(word, [...functionNames(), ...Object.keys(AGGREGATES)]);
  return expressionError(`There is no function ${JSON.stringify(name)}.${hint}`, at, 'a function');
}
