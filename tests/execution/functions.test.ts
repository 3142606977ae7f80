import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { kernelOf } from '../../pipeline/execution/functions/kernels.ts';
import { signatureKeys } from '../../pipeline/plan/expression/functions.ts';
import { readCases } from '../support/expression-cases.ts';
import { EDGE_HEADER, EDGE_TEXT, EDGE_TYPES } from '../support/edge-table.ts';
import { askDuckDB, askSluice, readCsvOf } from '../support/expression-oracle.ts';

/** The inexact ones C and JavaScript round differently in the last digit. */
const { inexact: INEXACT_CASES = [], ...EXACT_CASES } = readCases('expressions.txt');

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-functions-'));
const file = path.join(folder, 'edge.csv');
writeFileSync(file, EDGE_TEXT);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('expressions agree with DuckDB on edge values', () => {
  it.each(Object.entries(EXACT_CASES))('%s', async (_, expressions) => {
    const wanted = await askDuckDB(readCsvOf(file, EDGE_HEADER, EDGE_TYPES), expressions);
    const answers = [Infinity, 57, 1].map((size) => askSluice(file, EDGE_TYPES, expressions, size));
    expressions.forEach((expression, i) => {
      for (const answer of answers) {
        const unsigned = wanted[i]!.values.map((value) => (value === '-nan' ? 'nan' : value));
        expect({ expression, ...answer[i] }).toEqual({
          ...wanted[i],
          expression,
          values: unsigned,
        });
      }
    });
  });

  it('functions that are not rounded exactly, to 15 digits', async () => {
    const wanted = await askDuckDB(readCsvOf(file, EDGE_HEADER, EDGE_TYPES), INEXACT_CASES);
    const answers = askSluice(file, EDGE_TYPES, INEXACT_CASES);
    INEXACT_CASES.forEach((expression, i) => {
      const given = answers[i]!.values;
      expect(given.length).toBe(400);
      given.forEach((value, record) => {
        const other = wanted[i]!.values[record]!;
        if (value === null || other === null || /n/.test(value)) {
          expect([expression, value?.replace('-nan', 'nan')]).toEqual([
            expression,
            other?.replace('-nan', 'nan'),
          ]);
        } else {
          const difference = Math.abs(Number(value) - Number(other));
          expect(difference).toBeLessThanOrEqual(Math.abs(Number(other)) * 1e-15);
        }
      });
    });
  });
});

describe('the table of functions', () => {
  it.each(signatureKeys())('%s has a kernel', (key) => {
    expect(kernelOf(key)).toBeTypeOf('function');
  });
});
