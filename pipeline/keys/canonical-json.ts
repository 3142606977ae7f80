import { invariant } from '../errors.ts';

/**
 * JSON with one spelling per value: members sorted by UTF-16 code units, no white space, members
 * that are undefined left out (RFC 8785). Plain JSON values only; others break an invariant.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const prototype: unknown = Object.getPrototypeOf(value);
    invariant(prototype === Object.prototype || prototype === null, 'plain objects only');
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'number') invariant(Number.isFinite(value), 'finite numbers only');
  else invariant(value === null || /^(string|boolean)$/.test(typeof value), 'JSON values only');
  return JSON.stringify(value);
}
