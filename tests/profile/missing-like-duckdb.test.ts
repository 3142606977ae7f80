import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import { PartialMerger } from '../../pipeline/result/partial.ts';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { builtKernel } from '../support/kernel.ts';
import { runPlan } from '../support/run-plan.ts';
import { runWaves } from '../support/run-waves.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-missing-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const LONG = 'x'.repeat(17);
const cells = ['', '""', 'NA', '"NA"', '" "', LONG, 'a', '"say ""NA"""', '""""', '"NA"', '', '""'];
const CSV = `a,b\n${cells.map((cell, i) => `${cell},${i}\n`).join('')}`;
const values = ['""', 'null', '"NA"', '"x"', '"\\"\\""', undefined, '" "', 'null', '""', '""'];
const NDJSON = values.map((a, b) => `{${a === undefined ? '' : `"a":${a},`}"b":${b}}\n`).join('');

const MISSING = "count(*) FILTER (WHERE a IS NULL), count(*) FILTER (WHERE a = '')";

/** NULLs and empty texts of column a as DuckDB counts them. */
async function expected(name: string, text: string, reader: string): Promise<number[]> {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  const [row = []] = await queryDuckDB(`SELECT ${MISSING} FROM ${reader.replace('FILE', file)}`);
  return row.map(Number);
}

function missingOf(partials: readonly Uint8Array[]): number[] {
  const merger = new PartialMerger();
  for (const partial of partials) merger.add(partial);
  const { count, nulls, empty, typeShares } = merger.profile()!.find(({ name }) => name === 'a')!;
  expect(count).toBe(nulls + empty + Math.round((count - nulls - empty) * typeShares['string']!));
  return [nulls, empty];
}

describe('a profile counts NULL and the empty text apart, as DuckDB tells them', () => {
  it.each([[['']], [['NA']], [['', 'NA']], [['0', LONG]]])(
    'in CSV, nullstr %j',
    async (nullstr) => {
      const list = nullstr.map((text) => `'${text}'`).join(', ');
      const reader = `read_csv('FILE', header = true, all_varchar = true, nullstr = [${list}])`;
      const counts = await expected('cells.csv', CSV, reader);
      const read = `read: { nullstr: ${JSON.stringify(nullstr)} }`;
      for (const steps of [
        'steps: []',
        'steps: [profile: { detail: true }]',
        'steps: [{ derive: { a: "a || \'\'" } }, profile: {}]',
        'steps: [{ sort: [b] }, profile: {}]',
      ]) {
        const plan = `${read}\n${steps}`;
        for (const kernel of [{}, { kernel: builtKernel() }]) {
          const { waves } = runPlan(plan, CSV, { chunkRecords: 5, ...kernel });
          expect(missingOf(waves.flat().map(({ partial }) => partial))).toEqual(counts);
        }
      }
    },
  );

  it('in JSON, whatever nullstr says; so do aggregates', async () => {
    const reader = "read_json('FILE', format = 'newline_delimited')";
    const counts = await expected('cells.ndjson', NDJSON, reader);
    const columns = ['a', 'b'].map((name) => ({ name, type: 'string' as const }));
    const input = { format: 'ndjson' as const, dialect: RFC_4180, columns, lookups: [] };
    const bytes = Buffer.from(NDJSON);
    for (const nullstr of ['[""]', '[NA]']) {
      const profiled = compilePlan(parsePlan(`read: { nullstr: ${nullstr} }`), input);
      const { partial } = createChunkProgram(profiled.waves[0].context).run(bytes);
      expect(missingOf([partial])).toEqual(counts);
      const sql = `SELECT count(*) - count(a), count(*) FILTER (WHERE a = '') FROM input`;
      const plan = parsePlan(`read: { nullstr: ${nullstr} }\nsql: ${JSON.stringify(sql)}`);
      const compiled = compilePlan(plan, input);
      const groups = runWaves(compiled, [bytes]).at(-1) ?? [];
      const output = Buffer.concat(groups.flatMap((group) => group.output));
      expect(output.toString()).toBe(`${counts.join(',')}\n`);
    }
  });
});
