import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Task } from './assignment.ts';
import { ensureFile } from './dataset.ts';
import { datasetNamed } from './datasets.ts';
import { measure, type Run } from './measure.ts';
import { describeCommit, describeMachine, median } from './report.ts';
import { SUBJECTS } from './subjects.ts';

const TASKS: readonly Task[] = ['group', 'copy'];
const NAMES = ['sluice run', 'sluice upload', 'DuckDB'];
const THREADS = [1, 2, 4, 8];

export interface ScalingOptions {
  readonly sizesMb: readonly number[];
  /** Size at which the number of threads varies. */
  readonly threadsMb: number;
  readonly repetitions: number;
  /** The folder bench/. */
  readonly folder: string;
}

const HEAD = [
  '| task | subject | MB | threads | s | MB/s | peak MB |',
  '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
];

/**
 * How cost grows with the input and with the workers. Answers are not compared here: the same runs
 * are compared by the bench itself. SCALING.md is written anew after every point.
 */
export async function measureScaling(options: ScalingOptions): Promise<void> {
  const { sizesMb, threadsMb, folder } = options;
  const cores = availableParallelism();
  const bySize: string[] = [];
  const byThreads: string[] = [];
  const head = [
    '# Scaling',
    '',
    `Written by \`npm run bench -- --scaling\`: taxi, median of ${options.repetitions} runs each.`,
    `Commit ${describeCommit()}, Node ${process.version}, ${describeMachine()}, ${new Date().toISOString()}.`,
    '',
  ];
  const bySizeTitle = `## By size, ${cores} worker processes or threads`;
  const byThreadsTitle = `## By worker processes or threads, ${threadsMb} MB, ${cores} cores`;
  const write = (): void => {
    const sections = [bySizeTitle, '', ...HEAD, ...bySize, '', byThreadsTitle, '', ...HEAD];
    const text = [...head, ...sections, ...byThreads, ''].join('\n');
    writeFileSync(path.join(folder, 'SCALING.md'), text);
  };
  // The threads first: the biggest file takes longer than all that.
  for (const threads of THREADS) {
    byThreads.push(...(await linesOf(options, { megabytes: threadsMb, threads })));
    write();
  }
  for (const megabytes of sizesMb) {
    bySize.push(...(await linesOf(options, { megabytes, threads: cores })));
    write();
  }
  console.log(readFileSync(path.join(folder, 'SCALING.md'), 'utf8'));
}

interface Point {
  readonly megabytes: number;
  readonly threads: number;
}

async function linesOf(
  { repetitions, folder }: ScalingOptions,
  { megabytes, threads }: Point,
): Promise<string[]> {
  const lines: string[] = [];
  const dataset = datasetNamed('taxi');
  const output = path.join(folder, 'out', 'scaling.csv');
  const file = await ensureFile(dataset, megabytes, path.join(folder, 'out', 'data'));
  for (const task of TASKS) {
    console.error(`${megabytes} MB, ${threads} threads, ${task}`);
    const subjects = SUBJECTS.filter(({ name }) => NAMES.includes(name));
    const runs = new Map<string, Run[]>(subjects.map(({ name }) => [name, []]));
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const subject of subjects) {
        const about = { subject, task, dataset: dataset.name, file, output, threads };
        runs.get(subject.name)?.push(await measure({ ...about, broker: null }));
        rmSync(output, { force: true });
      }
    }
    for (const [subject, measured] of runs) {
      const ms = median(measured.map((run) => run.ms));
      const rate = statSync(file).size / 1000 / ms;
      const peak = Math.max(...measured.map((run) => run.peakResidentBytes)) / 1e6;
      const cells = [task, subject, megabytes, threads, (ms / 1000).toFixed(2)];
      lines.push(`| ${[...cells, rate.toFixed(0), peak.toFixed(0)].join(' | ')} |`);
    }
  }
  return lines;
}
