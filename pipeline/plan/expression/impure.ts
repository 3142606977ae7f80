import { expressionError } from './lexer.ts';

const CLOCKS = new Set(
  (
    'now today current_date current_time current_timestamp localtime localtimestamp ' +
    'get_current_time get_current_timestamp transaction_timestamp'
  ).split(' '),
);
const DICE = new Set('random setseed uuid uuidv4 uuidv7 gen_random_uuid'.split(' '));

const WHY = 'a result depends on the input and the plan alone, so that it is the same in every run';

/** The error of a function, or of a name that is one without parentheses, whose value is not the same
 *  in every run; null for all others. */
export function impureFunction(name: string, at: number): Error | null {
  const word = name.toLowerCase();
  if (CLOCKS.has(word)) {
    const message = `${name} depends on when it runs, and ${WHY}`;
    const expected =
      "the moment that is meant as a literal, such as DATE '2024-02-29' or TIMESTAMP '2024-02-29 12:00:00'";
    return expressionError(message, at, expected, 'plan-unsupported');
  }
  if (!DICE.has(word)) return null;
  const message = `${name} gives another value each time, and ${WHY}`;
  const expected = 'md5 or sha256 of columns; for some of the records a step sample';
  return expressionError(message, at, expected, 'plan-unsupported');
}

/** The error of what needs the rules of a time zone. */
export function zoned(what: string, at: number): Error {
  const message =
    `${what} depends on the time zone of the machine, or on its table of their rules, and ${WHY}. ` +
    'All times are in UTC: a text with an offset is read as its instant';
  const expected = "TIMESTAMP, and INTERVAL for a zone's offset, such as t + INTERVAL 1 HOUR";
  return expressionError(message, at, expected, 'plan-unsupported');
}
