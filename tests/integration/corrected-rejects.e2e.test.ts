import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RejectPage } from '../../pipeline/protocol/index.ts';
import { run } from '../support/jobs.ts';
import { sluice } from '../support/sluice.ts';
import { startServer, type TestServer } from '../support/server.ts';

let folder = '';
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-rejects-'));
  server = await startServer({ workers: 1 });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const PLAN = 'schema: { fields: [{ name: amount, type: number }] }';

it('JSON that was called CSV is read as what it is, with a warning; what only looks like it is not', async () => {
  const name = 'data.csv';
  const lines = await run(server, '{"a":1,"b":"x"}\n{"a":2}\n', { name });
  expect(lines).toMatchObject({ recordsIn: 2, input: { format: 'ndjson' } });
  expect(lines.warnings.join()).toContain('read as NDJSON');
  const array = await run(server, '[{"a":1},\n{"a":2}]', { name });
  expect(array).toMatchObject({ recordsIn: 2, input: { format: 'json' } });
  const text = await run(server, '{"a":1},x\n{"a":2},y\n', { name });
  expect(text).toMatchObject({ input: { format: 'csv' }, warnings: [] });
  const stated = await run(server, '{"a":1}\n{"a":2}\n', { name, plan: 'read: { format: csv }' });
  expect(stated).toMatchObject({ input: { format: 'csv' } });
});

it.each([
  [
    'delimited text in a dialect of its own',
    "id;'the ''name'';';amount\r\n1;'a;b';1.5\r\n2;'x\r\ny';zwei\r\n3;only\r\n4;d;4\r\n",
    "id;'the ''name'';';amount\r\n2;'x\r\ny';zwei\r\n3;only\r\n",
    (text: string) => text.replace('zwei', '2').replace('3;only', '3;only;3'),
    'read: { quote: "\'", escape: "\'", delim: \';\', newline: "\\r\\n" }',
  ],
  [
    'JSON lines',
    '{"amount":1}\n{"amount":"x"}\n{"amount":\n{"amount":3}\n',
    '{"amount":"x"}\n{"amount":\n',
    (text: string) => text.replace('"x"', '2').replace(/:\n$/, ':4}\n'),
    'write: { format: ndjson }',
  ],
])('rejects of %s come as they stood, and are taken when they were corrected', async (...args) => {
  const [, input, rejected, correct, more] = args;
  const plan = `${PLAN}\n${more}`;
  const job = await run(server, input, { name: 'first.csv', plan });
  expect(job.rejected).toBe(2);
  const answer = await fetch(`${server.url}/api/jobs/${job.id}/rejects?format=input`);
  const text = await answer.text();
  expect(text).toBe(rejected);
  const again = await run(server, correct(text), { name: 'again.csv', plan });
  expect(again).toMatchObject({ status: 'completed', recordsIn: 2, recordsOut: 2, rejected: 0 });
  const [file, rejects] = [path.join(folder, 'in.csv'), path.join(folder, 'rejects.csv')];
  await writeFile(file, input);
  await writeFile(path.join(folder, 'plan.yaml'), plan);
  const args2 = ['run', file, '--plan', path.join(folder, 'plan.yaml'), '--rejects', rejects];
  expect((await sluice([...args2, '--rejects-format', 'input', '-q'])).code).toBe(0);
  expect(await readFile(rejects, 'utf8')).toBe(rejected);
});

it('rejects of later waves have their place and bytes in the input, and can be corrected too', async () => {
  const input = 'id,amount,note\r\n1,5,"a\r\nb"\r\n1,9,c\r\n2,x,"d ""e"""\r\n3,7,f\r\n';
  const steps = ['sort: [note]', 'derive: { twice: CAST(amount AS integer) * 2 }', 'unique: [id]'];
  const plan = `steps: [${steps.map((step) => `{ ${step} }`).join(', ')}]`;
  const job = await run(server, input, { name: 'later.csv', plan });
  expect(job).toMatchObject({ recordsIn: 4, recordsOut: 2, rejected: 2, derivedRejected: 0 });
  const rejects = await fetch(`${server.url}/api/jobs/${job.id}/rejects`);
  const places = { derived: false, wave: 1 };
  const { rejects: listed } = (await rejects.json()) as RejectPage;
  expect(listed).toMatchObject([
    { ...places, record: 3, line: 5, byteOffset: 35, step: 2, raw: '2,x,"d ""e"""' },
    { ...places, record: 2, line: 4, step: 3, code: 'unique-error', column: 1, wave: 3 },
  ]);
  const answer = await fetch(`${server.url}/api/jobs/${job.id}/rejects?format=input`);
  expect(await answer.text()).toBe('id,amount,note\n2,x,"d ""e"""\n1,9,c\n');
  const failing = await run(server, input, {
    name: 'l.csv',
    plan: `read: { on_error: fail }\n${plan}`,
  });
  expect(failing.error).toMatchObject({ message: expect.stringMatching(/^Line 5: /) as string });
});
