import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { mergeProfiles } from '../../pipeline/profile/merge-profiles.ts';
import { decodePartial } from '../../pipeline/result/partial.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { builtKernel } from '../support/kernel.ts';
import { describeWith } from '../support/needs.ts';
import { runPlan, type RunOutcome } from '../support/run-plan.ts';

const kernel = builtKernel();
const files = [
  'airports.csv',
  'birdstrikes.csv',
  'country-indicators.csv',
  'duckdb-tpcds_14.csv',
  'ip-country-ipv4.csv',
  'iris.csv',
  'mafintosh-large-dataset.csv',
  'ourairports-navaids.csv',
  'ourairports-regions.csv',
  'ourairports-runways.csv',
  'penguins.csv',
  'qsv-boston311-100.csv',
  'seattle-weather.csv',
  'sp500-2000.csv',
  'species.csv',
  'stocks.csv',
  'titanic.csv',
  'zipcodes.csv',
];
const plans = ['', 'read: { null_padding: true, nullstr: ["", "NA", "0"] }'];

function profileOf(outcome: RunOutcome): Buffer {
  const profiles = outcome.results.map(({ partial }) => decodePartial(partial).profile!);
  return Buffer.from(mergeProfiles(profiles));
}

describeWith(corpusNeed, 'the plain job by the kernel, on real files', () => {
  it.each(files)('gives output, rejects and partials of the reference for %s', (file) => {
    const whole = readFileSync(path.join(corpusFolder, 'realdata', file));
    const input = whole.subarray(0, whole.indexOf(10, 4_000_000) + 1 || whole.length);
    for (const plan of plans) {
      const reference = runPlan(plan, input);
      const byKernel = runPlan(plan, input, { kernel });
      expect(byKernel.output.equals(reference.output)).toBe(true);
      expect(byKernel.rejects).toEqual(reference.rejects);
      expect(profileOf(byKernel).equals(profileOf(reference))).toBe(true);
      const cut = runPlan(plan, input, { kernel, chunkRecords: 997 });
      expect(cut.output.equals(reference.output)).toBe(true);
      expect(profileOf(cut).equals(profileOf(reference))).toBe(true);
    }
  });
});
