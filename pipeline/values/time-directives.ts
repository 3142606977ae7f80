/** A directive of a time format, or a character that stands for itself. */
export interface FormatPart {
  /** Null for a character. */
  readonly directive: string | null;
  /** Whether it is written without leading zeros: `%-d`. */
  readonly isBare: boolean;
  readonly text: string;
}

const WRITTEN = 'YymBbdAawujHIpMSfgUWVG%';
/** A week does not tell a day. */
const READ = 'YymBbdAawujHIpMSfg%';
const BARE = 'ydmHIMSj';
const SHORT_FORMS: Readonly<Record<string, string>> = {
  ...{ '%c': '%Y-%m-%d %H:%M:%S', '%x': '%Y-%m-%d', '%X': '%H:%M:%S' },
};

const parsedFormats = new Map<string, readonly FormatPart[]>();
const PARSED_FORMATS_MAX = 100;

/** The parts of a format of strftime and strptime, as DuckDB has them. */
export function formatParts(format: string): readonly FormatPart[] {
  const known = parsedFormats.get(format);
  if (known !== undefined) return known;
  const whole = format.replace(/%[\s\S]/g, (text) => SHORT_FORMS[text] ?? text);
  const matches = whole.matchAll(/%(-?)([\s\S])|([\s\S])/gu);
  const parts = [...matches].map(([text, bare, directive]) => ({
    directive: directive ?? null,
    isBare: bare === '-',
    text,
  }));
  if (parsedFormats.size >= PARSED_FORMATS_MAX) parsedFormats.clear();
  parsedFormats.set(format, parts);
  return parts;
}

/** What is wrong with a format to write times by, or to read them; null for one that can be used. */
export function formatFault(format: string, isRead: boolean): string | null {
  const known = isRead ? READ : WRITTEN;
  for (const { directive, isBare, text } of formatParts(format)) {
    if (directive === null) {
      if (text === '%') return 'A time format does not end in %: write %% for the sign';
    } else if (isRead && WRITTEN.includes(directive) && !known.includes(directive)) {
      return `The directive ${text} of a time format can be written, not read`;
    } else if (!known.includes(directive) || (isBare && !BARE.includes(directive))) {
      return `The directive ${text} of a time format is not known`;
    }
  }
  return null;
}
