import { asSql } from './condition.ts';
import type { Dataset } from './dataset.ts';
import { datasetNamed } from './datasets.ts';

export const TASKS = ['count', 'filter', 'group', 'many', 'sort', 'profile', 'copy'] as const;
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
  /** How often the work is to be done, in one process. */
  readonly passes: number;
}

/** A stage measures itself; other subjects are measured from start to exit of their process. */
export interface SubjectReport {
  /** Null: the whole process counts. */
  readonly ms: number | null;
  /** Of the passes behind the first, in which code is compiled: the median. */
  readonly passCpuMs?: number;
}

/** Arguments of a subject's process: TASK DATASET FILE OUTPUT THREADS [BROKER [PASSES]]. */
export function assignmentFromArguments(): Assignment {
  const [task, dataset, file, output, threads, broker, passes] = process.argv.slice(2);
  const known = TASKS.find((name) => name === task);
  if (known === undefined || dataset === undefined || file === undefined || output === undefined) {
    throw new Error('usage: TASK DATASET FILE OUTPUT THREADS [BROKER [PASSES]]');
  }
  return {
    task: known,
    dataset: datasetNamed(dataset),
    file,
    output,
    threads: Number(threads),
    broker: broker === undefined || broker === '' ? null : broker,
    passes: Number(passes ?? 1),
  };
}

/** The task as Sluice's plan; the plain job for `profile` and `copy`. */
export function planFor({ task, dataset }: Pick<Assignment, 'task' | 'dataset'>): string {
  if (task === 'filter') {
    return JSON.stringify({
      version: 1,
      steps: [{ filter: asSql(dataset.filter.conditions) }, { select: dataset.filter.columns }],
    });
  }
  if (task === 'sort') {
    const { by, then } = sortOf(dataset);
    return JSON.stringify({ version: 1, steps: [{ sort: [by, then] }] });
  }
  if (task === 'group' || task === 'many' || task === 'count') {
    const { by, value } = groupOf(dataset, task);
    const measures =
      task === 'count'
        ? { n: 'count(*)' }
        : { n: 'count(*)', total: `sum(${value})`, mean: `avg(${value})` };
    const aggregate = { by: task === 'count' ? [] : [by], measures };
    return JSON.stringify({ version: 1, steps: [{ aggregate }] });
  }
  return '';
}

/** Whether the data set has what the task asks for. */
export function isPossible(task: Task, { many, sort }: Dataset): boolean {
  return (task !== 'many' || many !== null) && (task !== 'sort' || sort !== null);
}

export function groupOf(dataset: Dataset, task: Task): Dataset['group'] {
  return (task === 'many' ? dataset.many : null) ?? dataset.group;
}

export function sortOf({ name, sort }: Dataset): NonNullable<Dataset['sort']> {
  if (sort === null) throw new Error(`${name} has no column to sort by`);
  return sort;
}

export function report(result: SubjectReport): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
