import { RE2JS, RE2JSException } from 're2js';
import { LIMITS } from '../limits.ts';

/** Options by letter, as DuckDB has them; 'g' is of replacements alone. */
const OPTIONS = 'cilmnpsg';
const CACHE_COUNT_MAX = 100;

/** What is wrong with a pattern, its options or a replacement, as a sentence's beginning. */
export class RegularExpressionError extends Error {}

/**
 * A regular expression in RE2's syntax, with DuckDB's options: 'i' ignores case, 'c' does not, 'l'
 * takes the pattern literally, 's' lets a dot match line ends. Takes time linear in the text.
 */
export class RegularExpression {
  /** Whether a replacement takes every match and not the first alone. */
  readonly isGlobal: boolean;
  private readonly engine: RE2JS;
  private readonly groupCount: number;

  /** Throws RegularExpressionError. */
  constructor(pattern: string, options = '') {
    let flags = 0;
    for (const option of options.replaceAll(/\s/g, '')) {
      if (!OPTIONS.includes(option)) {
        throw new RegularExpressionError(`The option ${JSON.stringify(option)} is not known`);
      }
      if (option === 'i') flags |= RE2JS.CASE_INSENSITIVE;
      else if (option === 'c') flags &= ~RE2JS.CASE_INSENSITIVE;
      else if (option === 's') flags |= RE2JS.DOTALL;
      else if ('mnp'.includes(option)) flags &= ~RE2JS.DOTALL;
    }
    this.isGlobal = options.includes('g');
    if (pattern.length > LIMITS.patternCharsMax) {
      throw new RegularExpressionError(
        `The regular expression has ${pattern.length} characters, more than ${LIMITS.patternCharsMax}`,
      );
    }
    try {
      this.engine = RE2JS.compile(options.includes('l') ? RE2JS.quote(pattern) : pattern, flags);
    } catch (thrown) {
      if (!(thrown instanceof RE2JSException)) throw thrown;
      const reason = thrown.message.replace(/^error parsing regexp: /, '');
      throw new RegularExpressionError(`The regular expression is not valid: ${reason}`);
    }
    this.groupCount = this.engine.groupCount();
  }

  /** Whether some part of the text matches. */
  test(text: string): boolean {
    return this.engine.test(text);
  }

  /** Whether the whole text matches. */
  testWhole(text: string): boolean {
    return this.engine.testExact(text);
  }

  /** A group of the first match, 0 being all of it; '' where there is none. */
  extract(text: string, group: number): string {
    if (group > this.groupCount) return '';
    const matcher = this.engine.matcher(text);
    return matcher.find() ? (matcher.group(group) ?? '') : '';
  }

  /** The text with its first match, or with all of them, replaced. A replacement that names a group
   *  which the pattern lacks leaves the text as it is. */
  replace(text: string, replacement: Replacement): string {
    if (replacement.groupMax > this.groupCount) return text;
    const matcher = this.engine.matcher(text);
    let result = '';
    let from = 0;
    let lastEnd = -1;
    while (matcher.find()) {
      const start = matcher.start();
      const end = matcher.end();
      // An empty match behind a match is none.
      if (start === end && start === lastEnd) continue;
      result += text.slice(from, start);
      for (const part of replacement.parts) {
        result += typeof part === 'string' ? part : (matcher.group(part) ?? '');
      }
      from = end;
      lastEnd = end;
      if (!this.isGlobal) break;
    }
    return lastEnd < 0 ? text : result + text.slice(from);
  }
}

/** A replacement: texts, and numbers of groups, written `\0` to `\9`. */
export class Replacement {
  readonly parts: readonly (string | number)[];
  readonly groupMax: number;

  /** Throws RegularExpressionError. */
  constructor(text: string) {
    const parts: (string | number)[] = [];
    for (const [part] of text.matchAll(/[^\\]+|\\[\s\S]?/g)) {
      if (!part.startsWith('\\')) parts.push(part);
      else if (part === '\\\\') parts.push('\\');
      else if (/^\\\d$/.test(part)) parts.push(Number(part.slice(1)));
      else {
        const what = 'a backslash in a replacement stands before a digit or a backslash';
        throw new RegularExpressionError(`The replacement is not valid: ${what}`);
      }
    }
    this.parts = parts;
    this.groupMax = Math.max(0, ...parts.filter((part) => typeof part === 'number'));
  }
}

/** Makes things of texts, and keeps the last ones; what cannot be made is kept as its error. */
export class RegularExpressionCache<Made> {
  private readonly make: (text: string, options: string) => Made;
  private readonly known = new Map<string, Made | RegularExpressionError>();
  private last: { text: string; options: string; made: Made | RegularExpressionError } | null =
    null;

  constructor(make: (text: string, options: string) => Made) {
    this.make = make;
  }

  get(text: string, options = ''): Made | RegularExpressionError {
    const { last } = this;
    if (last !== null && last.text === text && last.options === options) return last.made;
    const key = `${options}/${text}`;
    let made = this.known.get(key);
    if (made === undefined) {
      made = this.tried(text, options);
      if (this.known.size >= CACHE_COUNT_MAX) this.known.clear();
      this.known.set(key, made);
    }
    this.last = { text, options, made };
    return made;
  }

  private tried(text: string, options: string): Made | RegularExpressionError {
    try {
      return this.make(text, options);
    } catch (thrown) {
      if (thrown instanceof RegularExpressionError) return thrown;
      throw thrown;
    }
  }
}
