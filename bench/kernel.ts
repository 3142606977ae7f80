import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { isPossible, TASKS, type Task } from './assignment.ts';
import { chosen } from './chosen.ts';
import { ensureFile, type Dataset } from './dataset.ts';
import { DATASETS } from './datasets.ts';
import { measure } from './measure.ts';
import { asText, median } from './report.ts';
import { SUBJECTS, type Subject } from './subjects.ts';

/**
 * npm run bench:kernel -- [--megabytes N] [--rounds N] [--passes N] [--data NAME,...] [--task NAME,...]
 * [--before FOLDER] [--peers]
 *
 * Processor time of one thread: the kernel's operators over chunks in memory, beside an earlier
 * build (the folder of its clone) and the peers with one thread each. All take turns; each is given
 * some passes in a process of its own, of which the first does not count.
 */
const { values: flags } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '5' },
    passes: { type: 'string', default: '4' },
    data: { type: 'string' },
    task: { type: 'string' },
    before: { type: 'string' },
    peers: { type: 'boolean', default: false },
  },
});
const megabytes = Number(flags.megabytes);
const rounds = Number(flags.rounds);
const passes = Number(flags.passes);
if (!(megabytes > 0) || !(rounds > 0) || !(passes > 1)) {
  throw new Error('sizes, rounds and passes are numbers, and there are two passes at least');
}
const datasets = chosen('data', flags.data, DATASETS, ({ name }) => name);
const tasks = chosen('task', flags.task, TASKS, (name) => name);
const STAGE = 'stage: chunk program';
const out = path.join(import.meta.dirname, '..', '..', 'bench', 'out');
mkdirSync(path.join(out, 'data'), { recursive: true });

/** Who takes part, and in which built bench. */
interface Contestant {
  readonly name: string;
  readonly subject: Subject;
  readonly folder?: string;
}

const contestants: Contestant[] = [{ name: 'kernel', subject: subjectNamed(STAGE) }];
if (flags.before !== undefined) {
  const folder = path.join(flags.before, 'dist', 'bench');
  contestants.push({ name: 'before', subject: subjectNamed(STAGE), folder });
}
for (const name of flags.peers ? ['DuckDB', 'Polars'] : []) {
  const subject = subjectNamed(name);
  if (subject.isInstalled?.() ?? true) contestants.push({ name, subject });
}

const table = [['data', 'task', 'subject', 'CPU ms', 'MB/s', 'x kernel', 'from', 'to']];
for (const dataset of datasets) {
  const file = await ensureFile(dataset, megabytes, path.join(out, 'data'));
  for (const task of tasks) {
    if (task !== 'sort' && isPossible(task, dataset)) await measureTask(dataset, file, task);
  }
}
console.log(asText(table));

function subjectNamed(name: string): Subject {
  return SUBJECTS.find((subject) => subject.name === name)!;
}

/** Adds a line for each contestant: medians, and of the ratios of the rounds median and range. */
async function measureTask(dataset: Dataset, file: string, task: Task): Promise<void> {
  const output = path.join(out, 'kernel-answer.csv');
  const request = { task, dataset: dataset.name, file, output, threads: 1, broker: null, passes };
  const entered = contestants.filter(
    ({ subject }) => subject.tasks.includes(task) || subject.name === STAGE,
  );
  const times = new Map<Contestant, number[]>(entered.map((contestant) => [contestant, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contestant of entered) {
      const { subject, folder } = contestant;
      const where = folder === undefined ? {} : { folder };
      const { passCpuMs } = await measure({ ...request, subject, ...where });
      times.get(contestant)!.push(passCpuMs ?? NaN);
      rmSync(output, { force: true });
    }
  }
  const kernelTimes = times.get(entered[0]!)!;
  for (const [{ name }, own] of times) {
    const ratios = own.map((ms, round) => ms / kernelTimes[round]!).sort((a, b) => a - b);
    const ms = median(own);
    table.push([
      ...[dataset.name, task, name, ms.toFixed(0)],
      ...[(statSync(file).size / 1000 / ms).toFixed(0), median(ratios).toFixed(2)],
      ...[ratios[0]!.toFixed(2), ratios.at(-1)!.toFixed(2)],
    ]);
  }
}
