import {
  RegularExpression,
  RegularExpressionError,
  Replacement,
} from '../../values/regular-expression.ts';
import { formatFault } from '../../values/time-directives.ts';
import { expressionError } from './lexer.ts';
import type { Value } from './value.ts';

/** Arguments that come before the options, which stand last. */
const PLACE_OF_OPTIONS: Readonly<Record<string, number>> = {
  regexp_matches: 2,
  regexp_full_match: 2,
  regexp_extract: 3,
  regexp_replace: 3,
};

/** Refuses patterns, options and replacements that are literals and not valid. */
export function checkPattern(name: string, args: readonly Value[]): void {
  const place = PLACE_OF_OPTIONS[name];
  if (place === undefined) return;
  const given = args[place];
  const options = textOf(given);
  if (given !== undefined && options === null) {
    throw expressionError('Options of a pattern are a literal', given.at, "a text such as 'i'");
  }
  if (given !== undefined && name !== 'regexp_replace' && options?.includes('g') === true) {
    throw expressionError(`${name} has no option g`, given.at, "a text such as 'i'");
  }
  attempt(given, () => new RegularExpression('', options ?? ''));
  const pattern = textOf(args[1]);
  attempt(args[1], () => new RegularExpression(pattern ?? '', options ?? ''));
  const by = name === 'regexp_replace' ? textOf(args[2]) : null;
  if (by !== null) attempt(args[2], () => new Replacement(by));
}

/** Refuses formats of times that are literals and not known. */
export function checkTimeFormat(name: string, args: readonly Value[]): void {
  const format = textOf(args[1]);
  const fault = format === null ? null : formatFault(format, name === 'strptime');
  if (fault === null) return;
  throw expressionError(fault, args[1]?.at ?? 0, "a format such as '%d.%m.%Y'");
}

function textOf(value: Value | undefined): string | null {
  return value?.kind === 'literal' && value.type === 'string' ? value.text : null;
}

function attempt(value: Value | undefined, make: () => unknown): void {
  try {
    make();
  } catch (thrown) {
    if (!(thrown instanceof RegularExpressionError)) throw thrown;
    throw expressionError(thrown.message, value?.at ?? 0, 'a regular expression as RE2 has them');
  }
}
