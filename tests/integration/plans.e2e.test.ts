import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { generateFile, type GeneratedFile } from '../support/generate.ts';
import {
  ended,
  expectAccount,
  getJson,
  jobNamed,
  paced,
  resultText,
  run,
  send,
} from '../support/jobs.ts';
import { sluice } from '../support/sluice.ts';
import { startServer, type TestServer } from '../support/server.ts';
import type { Profile, RejectPage } from '../../pipeline/protocol/index.ts';

let folder = '';
let file = '';
let generated: GeneratedFile;
let server: TestServer;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-plans-'));
  file = path.join(folder, 'people.csv');
  generated = await generateFile(file, { bytes: 20_000_000, seed: 12, malformedEvery: 5000 });
  server = await startServer({ workers: 2 });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it('an aggregation over HTTP gives what DuckDB gives', async () => {
  const plan = `
version: 1
steps:
  - filter: "country <> 'US' AND amount > -1500"
  - aggregate:
      by: [country]
      measures: { n: "count(*)", total: "sum(amount)", low: "min(amount)", high: "max(amount)", mean: "avg(amount)" }
`;
  const job = await run(server, paced(file, []), { name: 'sums.csv', plan });
  expect(job).toMatchObject({ status: 'completed', recordsIn: generated.records, recordsOut: 0 });
  expect(job.aggregated).toBeGreaterThan(0);
  await expectAccount(server, job);
  const got: string[][] = parse(await resultText(server, job.id), { from_line: 2 });
  const wanted = await queryDuckDB(`
    SELECT country, count(*), sum(CAST(amount AS DECIMAL(18, 2))), min(CAST(amount AS DECIMAL(18, 2))),
      max(CAST(amount AS DECIMAL(18, 2))), avg(CAST(amount AS DECIMAL(18, 2)))
    FROM read_csv('${file}', all_varchar = true, header = true, ignore_errors = true,
      quote = '"', escape = '"', delim = ',')
    WHERE country <> 'US' AND CAST(amount AS DECIMAL(18, 2)) > -1500
    GROUP BY country`);
  const byCountry = (records: readonly (readonly (string | null)[])[]) =>
    records
      .map(([country, ...values]) => [country, ...values.map(Number)])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  expect(byCountry(got)).toEqual(byCountry(wanted));
});

it('a check that warns counts over HTTP, and its records go on through profile and waves', async () => {
  const plan = `
version: 1
steps:
  - check: { expr: "amount > 0", name: positive, severity: warn }
  - profile: { detail: true }
  - dedupe: { by: [country, amount] }
  - sort: [country, { by: amount, desc: true }]
`;
  const job = await run(server, paced(file, []), { name: 'warned.csv', plan });
  expect(job).toMatchObject({ status: 'completed', error: null, recordsIn: generated.records });
  await expectAccount(server, job);
  const read = `read_csv('${file}', all_varchar = true, header = true, ignore_errors = true,
    quote = '"', escape = '"', delim = ',')`;
  const amount = 'CAST(amount AS DECIMAL(18, 2))';
  const [[warned] = []] = await queryDuckDB(
    `SELECT count(*) FROM ${read} WHERE NOT coalesce(${amount} > 0, true)`,
  );
  expect(job.warned).toEqual([{ check: 'positive', records: Number(warned) }]);
  const got: string[][] = parse(await resultText(server, job.id), { from_line: 2 });
  const wanted = await queryDuckDB(
    `SELECT DISTINCT country, ${amount} AS a FROM ${read} ORDER BY country, a DESC`,
  );
  expect(got.map(([, , country, value]) => [country, Number(value)])).toEqual(
    wanted.map(([country, value]) => [country, Number(value)]),
  );
  const profile = await getJson<Profile>(server, `/api/jobs/${job.id}/profile`);
  expect(profile.columns.map(({ count }) => count)).toEqual(
    Array.from({ length: 6 }, () => generated.records - generated.malformed),
  );
});

describe('on_error: fail', () => {
  const plan = 'version: 1\nread: { on_error: fail }\n';

  it('ends the job at the first bad record, and names its line', async () => {
    const ended = await run(server, 'a,b\n1,2\n3,4,5\n6,7\n', { name: 'bad.csv', plan });
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'input-malformed' } });
    expect(ended.error?.message).toMatch(/^Line 3: /);
  });

  it('leaves a good file alone', async () => {
    const job = await run(server, 'a,b\n1,2\n', { name: 'good.csv', plan });
    expect(job).toMatchObject({ status: 'completed', recordsOut: 1 });
  });
});

describe('a budget of rejects', () => {
  const plan = 'version: 1\nlimits: { max_rejects: 3 }\n';
  const stopped = { status: 'failed', error: { code: 'rejects-over-budget' } };

  it('stops a job early, at the same place each time, and the sender is told', async () => {
    const seen = [];
    for (const name of ['strict-1.csv', 'strict-2.csv']) {
      const answer = await send(server, paced(file, []), { name, plan });
      if ('problem' in answer) {
        expect(answer).toMatchObject({ status: 422, problem: { code: 'rejects-over-budget' } });
      }
      const job = await ended(server, (await jobNamed(server, name)).id);
      expect(job).toMatchObject(stopped);
      expect(job.error?.message).toContain('Stopped before the end');
      seen.push(job.error?.details);
    }
    expect(seen[0]).toEqual(seen[1]);
    const planFile = path.join(folder, 'strict.yaml');
    await writeFile(planFile, plan);
    for (const more of [['--server', server.url], []]) {
      const command = await sluice(['run', file, '--plan', planFile, ...more]);
      expect(command.stderr).toContain('max_rejects: 3');
      expect(command.code).toBe(3);
    }
  });

  it('by share stops one once 10,000 records were read', async () => {
    const share = 'limits: { max_reject_ratio: 0.0001 }';
    await send(server, paced(file, []), { name: 'share.csv', plan: share });
    expect(await ended(server, (await jobNamed(server, 'share.csv')).id)).toMatchObject(stopped);
  });

  it('that only the end of the input exceeds leaves the result', async () => {
    const small = `a,b\n1,2\n${'x\n'.repeat(4)}`;
    const job = await run(server, small, { name: 'small.csv', plan });
    expect(job).toMatchObject({ ...stopped, status: 'completed_with_failures', rejected: 4 });
    await expectAccount(server, job);
    expect(await resultText(server, job.id)).toBe('a,b\n1,2\n');
    const { rejects } = await getJson<RejectPage>(server, `/api/jobs/${job.id}/rejects?limit=5`);
    expect(rejects.map(({ record }) => record)).toEqual([2, 3, 4, 5]);
  });
});

it('a budget counts groups that are rejected; they have a total by themselves, and their wave', async () => {
  const steps =
    '[{ aggregate: { by: [a], measures: { n: count(*) } } }, { check: { expr: n > 1 } }]';
  const plan = `steps: ${steps}\nlimits: { max_rejects: 1 }`;
  const job = await run(server, 'a\nx\ny\nz\nx\n', { name: 'groups.csv', plan });
  expect(job).toMatchObject({ status: 'completed_with_failures', rejected: 0, derivedRejected: 2 });
  expect(job.error).toMatchObject({ code: 'rejects-over-budget', details: { rejected: 2 } });
  const manifest = await expectAccount(server, job);
  expect(manifest).toMatchObject({ balanced: true, totals: { failed: 0, derivedRejected: 2 } });
  expect(manifest.waves).toMatchObject([
    { kind: 'read', recordsIn: 4, aggregated: 4, outputRecords: 3 },
    { kind: 'group', recordsIn: 3, rejected: 2, failed: 0, outputRecords: 1 },
  ]);
  const { rejects } = await getJson<RejectPage>(server, `/api/jobs/${job.id}/rejects?limit=5`);
  expect(rejects).toMatchObject([
    { wave: 1, line: null, raw: 'y,1' },
    { wave: 1, line: null, raw: 'z,1' },
  ]);
});

it('a plan that is wrong is refused with its place, before the file is read', async () => {
  let sent = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    for await (const part of paced(file, [])) {
      sent += part.length;
      yield part;
    }
  }
  const plan = 'version: 1\nsteps:\n  - filtre: "x = 1"\n';
  const answer = await send(server, body(), { name: 'wrong.csv', plan });
  expect(answer).toMatchObject({ status: 422, problem: { code: 'plan-invalid' } });
  expect(JSON.stringify(answer)).toContain('"line":3');
  expect(sent).toBeLessThan(generated.bytes);
});
