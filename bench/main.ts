import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startRabbitMq } from '../tests/support/rabbitmq.ts';
import { readAnswer, type Answer } from './answer.ts';
import { isPossible, TASKS, type Task } from './assignment.ts';
import { chosen } from './chosen.ts';
import { ensureFile, type Dataset } from './dataset.ts';
import { DATASETS } from './datasets.ts';
import { measureIngest } from './ingest.ts';
import { measure, type Run } from './measure.ts';
import { chartsOf } from './chart.ts';
import { asMarkdown, asText, describeCommit, describeMachine, tableOf } from './report.ts';
import { memoryOf } from './memory.ts';
import type { Measurement, Report } from './report.ts';
import { measureScaling } from './scaling.ts';
import { SUBJECTS, type Subject } from './subjects.ts';

/**
 * npm run bench [-- --quick | --full | --megabytes N] [--repeat N] [--only PART,...] [--task NAME,...]
 * [--data NAME,...] [--no-broker] [--scaling] [--ingest]
 */
const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    megabytes: { type: 'string' },
    repeat: { type: 'string' },
    only: { type: 'string' },
    task: { type: 'string' },
    data: { type: 'string' },
    'no-broker': { type: 'boolean', default: false },
    scaling: { type: 'boolean', default: false },
    ingest: { type: 'boolean', default: false },
  },
});
/** Parts of the names of subjects. */
const only = flags.only?.split(',');
for (const part of only ?? []) {
  if (!SUBJECTS.some(({ name }) => name.includes(part))) {
    const names = SUBJECTS.map(({ name }) => name).join(', ');
    throw new Error(`--only ${part}: no subject has this in its name; there is ${names}`);
  }
}
const datasets = chosen('data', flags.data, DATASETS, ({ name }) => name);
const tasks = chosen('task', flags.task, TASKS, (name) => name);
/** Answers by the hash of the output's bytes: the same bytes are read once. */
const answersRead = new Map<string, Answer>();
const megabytes = Number(flags.megabytes ?? (flags.quick ? 20 : flags.full ? 1000 : 200));
const repetitions = Number(flags.repeat ?? (flags.quick ? 3 : 5));
if (!(megabytes > 0) || !(repetitions > 0)) throw new Error('sizes and repetitions are numbers');

/** The answer of the first subject of this list that gave one is what the others must give. */
const REFERENCES = ['csv-parse', 'uDSV', 'DuckDB'];

const here = path.join(import.meta.dirname, '..', '..', 'bench');
const out = path.join(here, 'out');
mkdirSync(path.join(out, 'data'), { recursive: true });

if (flags.scaling) {
  const sizesMb = flags.quick ? [10, 100] : flags.full ? [10, 100, 1000, 10_000] : [10, 100, 1000];
  await measureScaling({ sizesMb, threadsMb: megabytes, repetitions, folder: here });
  process.exit();
}

if (flags.ingest) {
  await measureIngest({ megabytes, repetitions, folder: here });
  process.exit();
}

const broker = await brokerOf();
const measurements: Measurement[] = [];
const about = {
  ...{ startedAt: new Date().toISOString(), megabytes, repetitions },
  commit: describeCommit(),
  node: process.version,
  machine: describeMachine(),
};
try {
  for (const dataset of datasets) {
    const file = await ensureFile(dataset, megabytes, path.join(out, 'data'));
    for (const task of tasks) {
      if (!isPossible(task, dataset)) continue;
      measurements.push(...(await measureTask(dataset, file, task)));
      writeResults({ ...about, measurements });
    }
  }
} finally {
  await broker?.stop();
}
finish({ ...about, measurements });

async function brokerOf(): Promise<{ url: string; stop(): Promise<void> } | null> {
  if (flags['no-broker']) return null;
  const started = await startRabbitMq();
  if (!('skipped' in started)) return started;
  console.error(`without RabbitMQ: ${started.skipped}`);
  return null;
}

/** Every subject once, then every subject again: what disturbs the machine disturbs them all. */
async function measureTask(dataset: Dataset, file: string, task: Task): Promise<Measurement[]> {
  const subjects = SUBJECTS.filter(
    (subject) =>
      subject.tasks.includes(task) &&
      megabytes <= subject.megabytesMax &&
      (!subject.needsBroker || broker !== null) &&
      (subject.isInstalled?.() ?? true) &&
      (only === undefined || only.some((part) => subject.name.includes(part))),
  );
  const runs = new Map<Subject, Run[]>(subjects.map((subject) => [subject, []]));
  const answers = new Map<Subject, Answer>();
  const failures = new Map<Subject, string>();
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const subject of subjects) {
      if (failures.has(subject)) continue;
      console.error(`${dataset.name} ${task} ${repetition + 1}/${repetitions} ${subject.name}`);
      const output = path.join(out, 'answer.csv');
      try {
        const url = broker?.url ?? null;
        const request = {
          ...{ subject, task, dataset: dataset.name, file, output, broker: url },
          threads: availableParallelism(),
        };
        runs.get(subject)?.push(await measure(request));
        if (subject.answers) await checkAnswer(subject, await answerOf(output, task), answers);
      } catch (error) {
        failures.set(subject, error instanceof Error ? error.message : String(error));
        console.error(failures.get(subject));
      } finally {
        rmSync(output, { force: true });
      }
    }
  }
  const bytes = statSync(file).size;
  const reference = referenceOf(answers);
  return subjects.map((subject) => ({
    ...{ dataset: dataset.name, bytes, task, subject: subject.name },
    runs: runs.get(subject) ?? [],
    verdict: verdictOf(subject, failures, answers.get(subject), reference),
    failure: failures.get(subject) ?? null,
  }));
}

/** Reads an output once: equal bytes have equal answers. */
async function answerOf(output: string, task: Task): Promise<Answer> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(output)) hash.update(part as Uint8Array);
  const key = `${task} ${hash.digest('hex')}`;
  const answer = answersRead.get(key) ?? (await readAnswer(output, task));
  answersRead.set(key, answer);
  return answer;
}

/** The same question must have the same answer each time. */
async function checkAnswer(
  subject: Subject,
  answer: Answer,
  answers: Map<Subject, Answer>,
): Promise<void> {
  const before = answers.get(subject);
  if (before !== undefined && before.sha256 !== answer.sha256) {
    throw new Error(`${subject.name} gave two different answers`);
  }
  answers.set(subject, answer);
}

function referenceOf(answers: ReadonlyMap<Subject, Answer>): Answer | undefined {
  const byName = new Map([...answers].map(([subject, answer]) => [subject.name, answer]));
  return REFERENCES.map((name) => byName.get(name)).find((answer) => answer !== undefined);
}

function verdictOf(
  subject: Subject,
  failures: ReadonlyMap<Subject, string>,
  answer: Answer | undefined,
  reference: Answer | undefined,
): string {
  if (failures.has(subject)) return 'FAILED';
  if (!subject.answers) return 'stage';
  if (answer === undefined || reference === undefined) return 'UNCHECKED: no peer ran';
  if (answer.sha256 === reference.sha256) return 'same';
  return `DIFFERS: ${answer.records} records, ${reference.records} expected`;
}

/** After every task: a run that is ended early leaves what it has measured. */
function writeResults(report: Report): void {
  writeFileSync(jsonOf(report), `${JSON.stringify(report, null, 2)}\n`);
  if ((flags.only ?? flags.task ?? flags.data) !== undefined) return;
  const charts = flags.full ? 'charts-full' : 'charts';
  const markdown = asMarkdown(
    report,
    flags.full ? 'npm run bench -- --full' : 'npm run bench',
    charts,
  );
  writeFileSync(path.join(here, flags.full ? 'RESULTS-FULL.md' : 'RESULTS.md'), markdown);
  mkdirSync(path.join(here, charts), { recursive: true });
  for (const [name, svg] of chartsOf(report)) {
    writeFileSync(path.join(here, charts, `${name}.svg`), svg);
  }
}

function jsonOf({ startedAt }: Report): string {
  return path.join(out, `bench-${startedAt.replaceAll(/[:.]/g, '-')}.json`);
}

function finish(report: Report): void {
  const json = jsonOf(report);
  console.log(asText(tableOf(report)));
  const memory = memoryOf(report.measurements);
  for (const { text } of memory) console.log(text);
  console.log(`\n${report.machine}, Node ${report.node}, commit ${report.commit}`);
  console.log(`${path.relative(process.cwd(), json)} (${readFileSync(json).length} bytes)`);
  // A peer that answers otherwise shows in the table; it is not for us to mend.
  const wrong = report.measurements.filter(
    ({ subject, verdict }) => subject.startsWith('sluice') && verdict !== 'same',
  );
  if (wrong.length > 0 || memory.some(({ isOver }) => isOver)) process.exitCode = 1;
}
