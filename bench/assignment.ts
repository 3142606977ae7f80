import { availableParallelism } from 'node:os';
import type { Dataset } from './dataset.ts';
import { datasetNamed } from './datasets.ts';

export const TASKS = ['count', 'filter', 'group', 'profile', 'copy'] as const;
export type Task = (typeof TASKS)[number];

/** What one child process has to do: read `file`, do `task`, write the answer as CSV to `output`. */
export interface Assignment {
  readonly task: Task;
  readonly dataset: Dataset;
  readonly file: string;
  readonly output: string;
  readonly threads: number;
  /** amqp:// URL for the subjects that use one. */
  readonly broker: string | null;
}

/** A stage measures itself; other subjects are measured from start to exit of their process. */
export interface SubjectReport {
  /** Null: the whole process counts. */
  readonly ms: number | null;
}

/** Arguments of a subject's process: TASK DATASET FILE OUTPUT [BROKER]. */
export function assignmentFromArguments(): Assignment {
  const [task, dataset, file, output, broker] = process.argv.slice(2);
  const known = TASKS.find((name) => name === task);
  if (known === undefined || dataset === undefined || file === undefined || output === undefined) {
    throw new Error('usage: TASK DATASET FILE OUTPUT [BROKER]');
  }
  return {
    task: known,
    dataset: datasetNamed(dataset),
    file,
    output,
    threads: availableParallelism(),
    broker: broker ?? null,
  };
}

/** The task as Sluice's plan; the plain job, which profiles every column, for `profile`. */
export function planFor({ task, dataset }: Pick<Assignment, 'task' | 'dataset'>): string {
  if (task === 'filter') {
    return JSON.stringify({
      version: 1,
      steps: [{ filter: dataset.filter.sql }, { select: dataset.filter.columns }],
    });
  }
  if (task === 'group' || task === 'count') {
    const { by, value } = dataset.group;
    const measures =
      task === 'count'
        ? { n: 'count(*)' }
        : { n: 'count(*)', total: `sum(${value})`, mean: `avg(${value})` };
    const aggregate = { by: task === 'count' ? [] : [by], measures };
    return JSON.stringify({ version: 1, steps: [{ aggregate }] });
  }
  return task === 'copy' ? JSON.stringify({ version: 1, steps: [] }) : '';
}

export function report(result: SubjectReport): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
