import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { builtKernel } from '../support/kernel.ts';
import { describeWith } from '../support/needs.ts';
import { runPlan, type RunOutcome } from '../support/run-plan.ts';

const kernel = builtKernel();

interface Case {
  readonly file: string;
  readonly types: Readonly<Record<string, ColumnType>>;
  readonly by: string;
  readonly measures: string;
}

const cases: Case[] = [
  {
    file: 'airports.csv',
    types: { latitude: 'number', longitude: 'number' },
    by: 'state',
    measures:
      'n: count(*), a: avg(latitude), lo: min(longitude), hi: max(longitude), c: count(city)',
  },
  {
    file: 'seattle-weather.csv',
    types: { date: 'date', precipitation: 'number', temp_max: 'number', wind: 'number' },
    by: 'weather',
    measures: 's: sum(precipitation), hi: max(temp_max), a: avg(wind), d: min(date), e: max(date)',
  },
  {
    file: 'titanic.csv',
    types: { Age: 'number', Fare: 'number', Pclass: 'integer' },
    by: 'Pclass, Gender',
    measures: 'n: count(*), a: avg(Age), t: sum(Fare), c: count(Age), lo: min(Fare)',
  },
  {
    file: 'zipcodes.csv',
    types: { latitude: 'number', longitude: 'number', zip_code: 'integer' },
    by: 'zip_code',
    measures: 'n: count(*), t: sum(latitude), lo: min(longitude)',
  },
  {
    file: 'ourairports-runways.csv',
    types: { length_ft: 'integer', width_ft: 'number', le_latitude_deg: 'number' },
    by: 'airport_ident',
    measures: 'n: count(*), t: sum(length_ft), a: avg(width_ft), hi: max(le_latitude_deg)',
  },
  {
    file: 'ourairports-navaids.csv',
    types: { elevation_ft: 'integer', latitude_deg: 'number' },
    by: 'name, iso_country',
    measures: 'n: count(*), t: sum(elevation_ft), a: avg(latitude_deg)',
  },
  {
    file: 'ip-country-ipv4.csv',
    types: {},
    by: '0',
    measures: 'n: count(*)',
  },
];

function outcomeOf({ results, rejects }: RunOutcome) {
  const partials = results.map(({ partial }) => Buffer.from(partial).toString('base64'));
  return { partials, rejects, statistics: results.map(({ statistics }) => statistics) };
}

describeWith(corpusNeed, 'aggregates by the kernel, of real files', () => {
  it.each(cases)('give partials and rejects of the reference for $file', (one) => {
    const whole = readFileSync(path.join(corpusFolder, 'realdata', one.file));
    const input = whole.subarray(0, whole.indexOf(10, 4_000_000) + 1 || whole.length);
    const names = new TextDecoder()
      .decode(input.subarray(0, input.indexOf(10)))
      .trim()
      .split(',');
    const by = one.by === '0' ? names[0]! : one.by;
    for (const onError of ['reject', 'null']) {
      const plan = `read: { on_error: "${onError}" }\nsteps: [aggregate: {by: [${by}], measures: {${one.measures}}}]`;
      for (const chunkRecords of [Infinity, 997]) {
        const options = { types: one.types, chunkRecords };
        const byKernel = runPlan(plan, input, { ...options, kernel });
        expect(outcomeOf(byKernel)).toEqual(outcomeOf(runPlan(plan, input, options)));
      }
    }
  });
});
