import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Dialect } from '../../pipeline/parsing/dialect.ts';
import { corpusFolder } from './corpus.ts';
import type { Need } from './needs.ts';

const casesFolder = path.join(corpusFolder, 'cases');
const casesFile = path.join(casesFolder, 'cases.jsonl');

export const corpusCases: Need = {
  met: existsSync(casesFile),
  otherwise: 'the corpus of cases is not beside the repository',
};

export type CaseClass =
  'core' | 'ragged' | 'dialect' | 'encoding' | 'error' | 'count' | 'sniff' | 'policy';

/** One input with its dialect and what published suites expect of it. */
export interface CorpusCase {
  readonly id: string;
  readonly class: CaseClass;
  readonly input_b64?: string;
  readonly input_file?: string;
  readonly dialect: Readonly<Record<string, unknown>>;
  readonly expect: Readonly<Record<string, unknown>>;
}

export interface CaseReading {
  readonly dialect: Dialect;
  readonly skipBlankLines: 'never' | 'always';
}

export type Verdict = 'pass' | 'fail' | 'skip';

type Records = readonly (readonly unknown[])[];

export function loadCases(...classes: readonly CaseClass[]): CorpusCase[] {
  return readFileSync(casesFile, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as CorpusCase)
    .filter((one) => classes.length === 0 || classes.includes(one.class));
}

/** The case's input, decompressed, as UTF-8. */
export function caseBytes(one: CorpusCase): Buffer {
  const stored =
    one.input_b64 === undefined
      ? readFileSync(path.join(casesFolder, one.input_file!))
      : Buffer.from(one.input_b64, 'base64');
  const bytes = stored[0] === 0x1f && stored[1] === 0x8b ? gunzipSync(stored) : stored;
  const { encoding } = one.dialect;
  if (typeof encoding !== 'string' || /^(us-)?ascii$|^utf-?8$/i.test(encoding)) return bytes;
  const isBigEndian = encoding === 'utf-16' && bytes[0] === 0xfe && bytes[1] === 0xff;
  const label = isBigEndian ? 'utf-16be' : encoding.replace('latin-1', 'latin1');
  return Buffer.from(new TextDecoder(label).decode(bytes));
}

/** How the case is to be read. */
export function caseReading({ dialect }: CorpusCase): CaseReading {
  const text = (name: string, otherwise: string): string => {
    const value = dialect[name];
    return typeof value === 'string' ? value : otherwise;
  };
  const isUnquoted =
    dialect['quoting'] === 'none' || [null, false].includes(dialect['quote'] as null);
  const quote = isUnquoted ? '' : text('quote', '"');
  return {
    dialect: {
      delimiter: text('delimiter', ',') || ',',
      quote,
      escape: text('escape', quote),
      newline: text('newline', 'any'),
      comment: text('comment', ''),
      header: dialect['header'] === true,
      skip: Math.max(0, Number(dialect['skip_lines'] ?? 0)),
    },
    skipBlankLines: dialect['skip_empty_lines'] ? 'always' : 'never',
  };
}

/**
 * Judges the records of a case, header record included, as the corpus's own scorer does: null
 * equals an empty cell, and an empty record equals one with an empty cell.
 */
export function judgeCase(one: CorpusCase, records: readonly (readonly string[])[]): Verdict {
  const { expect } = one;
  if (expect['error'] !== undefined) return 'fail';
  if ('rows' in expect) {
    const wanted = normalised(expect['rows'] as Records);
    let got = normalised(records);
    if (expect['first_row_only']) got = got.slice(0, 1);
    if (expect['truncated']) got = got.slice(0, wanted.length);
    return verdict(same(got, wanted));
  }
  if ('rows_sha256' in expect) {
    const text = JSON.stringify(normalised(records));
    return verdict(createHash('sha256').update(text).digest('hex') === expect['rows_sha256']);
  }
  if ('rows_without_header' in expect) {
    const order = (rows: string[][]) =>
      expect['any_order'] ? rows.map((row) => JSON.stringify(row)).sort() : rows;
    const wanted = order(normalised(expect['rows_without_header'] as Records));
    const got = normalised(records);
    return verdict(same(order(got), wanted) || same(order(got.slice(1)), wanted));
  }
  if ('objects' in expect) return judgeObjects(one, records);
  if ('row_count' in expect) {
    const count = expect['row_count'] as number;
    return verdict(records.length === count || records.length === count + 1);
  }
  return 'skip';
}

function judgeObjects(one: CorpusCase, records: readonly (readonly string[])[]): Verdict {
  const wanted = one.expect['objects'] as Readonly<Record<string, unknown>>[];
  if (!Array.isArray(wanted)) return 'skip';
  const { columns } = one.dialect;
  const named = Array.isArray(columns) && one.dialect['header'] !== true;
  const header = named ? (columns as string[]) : (normalised(records)[0] ?? []);
  const body = normalised(named ? records : records.slice(1));
  const got = body
    .filter((record) => !(header.length > 1 && record.length === 1 && record[0] === ''))
    .map((record) => header.map((name, i) => [name, record[i] ?? ''] as const));
  // Absent and empty cells are treated alike.
  const filled = (members: readonly (readonly [string, unknown])[]) =>
    Object.fromEntries(
      members.filter(([, value]) => cell(value) !== '').map(([k, v]) => [k, cell(v)]),
    );
  return verdict(
    same(
      got.map(filled),
      wanted.map((object) => filled(Object.entries(object))),
    ),
  );
}

function normalised(records: Records): string[][] {
  return records.map((record) => (record.length === 0 ? [''] : record.map(cell)));
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sortedKeys(a)) === JSON.stringify(sortedKeys(b));
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function verdict(passed: boolean): Verdict {
  return passed ? 'pass' : 'fail';
}
