import { describe, expect, it } from 'vitest';
import { functionNames } from '../../pipeline/plan/expression/functions.ts';

/** What the language promises, see docs/plan.md. */
const PROMISED = (
  'coalesce nullif ifnull greatest least abs round floor ceil sign sqrt power exp ln log10 mod ' +
  'lower upper trim ltrim rtrim length substr left right lpad rpad replace split_part concat ' +
  'concat_ws starts_with ends_with contains position reverse regexp_matches regexp_replace ' +
  'regexp_extract md5 sha256 date_trunc date_part extract date_diff strptime strftime year month ' +
  'day hour minute dayofweek make_date cast try_cast'
).split(' ');

describe('the functions', () => {
  it.each(PROMISED)('have %s', (name) => {
    expect(functionNames()).toContain(name);
  });
});
