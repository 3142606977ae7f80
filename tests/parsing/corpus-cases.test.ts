import { expect, it } from 'vitest';
import { readRecords } from '../../pipeline/parsing/record-reader.ts';
import { caseBytes, caseReading, corpusCases, judgeCase, loadCases } from '../support/cases.ts';
import type { CaseClass } from '../support/cases.ts';
import { describeWith } from '../support/needs.ts';

/** Cases of class dialect that Sluice reads otherwise, each with its reason. */
const READ_OTHERWISE: Readonly<Record<string, string>> = {
  'cpython/read_eof~3': 'an escape as the last byte stands for itself, not for a line end',
  'cpython/read_skipinitialspace': 'trimming is a step of the plan, not of the dialect',
  'duckdb/csv_parallel_new_line-13': 'the delimiter is not given: it is to be sniffed',
  'fast-csv/parser-002': 'a record of empty fields is a record',
  'mafintosh-csv-parser/headers-001': 'text behind a closing quote is kept as it stands',
  'mafintosh-csv-parser/quote-008': 'text behind a closing quote is kept as it stands',
  'mafintosh-csv-parser/quote-009': 'text behind a closing quote is kept as it stands',
  'papaparse/core-050': 'nothing behind the last line end is no record',
  'papaparse/parse-058': 'a limit of records is a step of the plan',
  'papaparse/parse-074': 'an escape makes any character literal, as in Python',
  'papaparse/parse-092': 'one header record is left, and it is a record here',
};

function misread(caseClass: CaseClass): string[] {
  return loadCases(caseClass)
    .filter((one) => {
      const { dialect, skipBlankLines } = caseReading(one);
      return judgeCase(one, readRecords(caseBytes(one), dialect, { skipBlankLines })) !== 'pass';
    })
    .map(({ id }) => id);
}

describeWith(corpusCases, 'records of the published cases', () => {
  it.each(['core', 'ragged', 'encoding', 'count'] as const)('reads all of class %s', (name) => {
    expect(loadCases(name).length).toBeGreaterThan(0);
    expect(misread(name)).toEqual([]);
  });

  it('reads all of class dialect but those it differs from on purpose', () => {
    expect(misread('dialect').sort()).toEqual(Object.keys(READ_OTHERWISE).sort());
  });
});
