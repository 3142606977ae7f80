import fc from 'fast-check';
import type { Dialect } from '../../pipeline/parsing/dialect.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';

/** Dialects that the fast loops take, and some that only the general machine takes. */
export const DIALECTS: Readonly<Record<string, Dialect>> = {
  'RFC 4180': RFC_4180,
  'no quotes': { ...RFC_4180, quote: '', escape: '' },
  'quotes that cannot be doubled': { ...RFC_4180, escape: '' },
  'LF only': { ...RFC_4180, newline: '\n' },
  'CR only': { ...RFC_4180, newline: '\r' },
  comments: { ...RFC_4180, comment: '#' },
  'long comments': { ...RFC_4180, comment: '#b' },
  'CRLF only': { ...RFC_4180, newline: '\r\n' },
  'a backslash as escape': { ...RFC_4180, escape: '\\' },
  'escape without quotes': { ...RFC_4180, quote: '', escape: '\\' },
  'two bytes as delimiter': { ...RFC_4180, delimiter: ',b' },
  'a delimiter that overlaps itself': { ...RFC_4180, delimiter: 'bb', comment: '#' },
  'quotes beyond ASCII': { ...RFC_4180, quote: '«', escape: '«' },
  'a text as line end': { ...RFC_4180, newline: 'b#' },
};

/** Bytes in which everything that matters to a dialect is frequent. */
export const delimitedBytes = (maxLength = 40): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.constantFrom('"', '"', ',', ',', '\n', '\r', 'a', 'b', '#', '\\', '«', 'é'), {
      maxLength,
    })
    .map((texts) => new TextEncoder().encode(texts.join('')));
