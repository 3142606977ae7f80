import { parse as parseDocument } from 'yaml';
import { parsePlan as parseAnew } from '../../pipeline/plan/parse.ts';

/**
 * In place of the parsers of plans, see `on-simulated-files.mjs`: all runs share some ten plans, and a
 * master reads one several times a job. What is known is frozen, so that a run cannot change another.
 */
export const parsePlan = remembered(parseAnew);
export const parse = remembered((text) => parseDocument(text) as unknown);

function remembered<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const value = known.get(text) ?? frozen(read(text));
    known.set(text, value);
    return value;
  };
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) frozen(member);
  return value;
}
