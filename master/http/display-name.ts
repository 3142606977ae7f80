import { LIMITS } from '../../pipeline/limits.ts';

/** Control characters, line separators, lone surrogates, and marks that turn the text's direction. */
const UNSHOWABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu;

/**
 * A client's file name made fit to be shown: the last segment of what may be a path, without
 * characters that hide or forge text, at most `nameCharsMax` characters with the extension kept.
 * Never used as a path.
 */
export function displayName(given: string | undefined, fallback: string): string {
  const segments = (given ?? '').replace(UNSHOWABLE, '').split(/[/\\]/);
  const last = segments.map((segment) => segment.trim()).findLast((segment) => segment !== '');
  if (last === undefined || /^\.+$/.test(last)) return fallback;
  return shorten(last);
}

function shorten(name: string): string {
  const characters = [...name];
  if (characters.length <= LIMITS.nameCharsMax) return name;
  const extension = [...(/\.[^.]{1,16}$/.exec(name)?.[0] ?? '')];
  const kept = characters.slice(0, LIMITS.nameCharsMax - extension.length - 1);
  return [...kept, '…', ...extension].join('');
}
