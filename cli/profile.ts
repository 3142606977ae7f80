import { FINAL_STATUSES, type Profile } from '../pipeline/protocol/index.ts';
import { embeddedRunner } from './embedded-runner.ts';
import { describeJobError, EXIT, exitCodeFor, type ExitCode } from './failure.ts';
import { formatCount } from './figures.ts';
import { openInput } from './input-source.ts';
import { waitForEnd } from './job-runner.ts';
import { lookupSources } from './lookup-source.ts';
import { planFolder, readPlan, type PlanFlags } from './plan-source.ts';
import { renderTable, type TableColumn } from './table.ts';

export interface ProfileFlags extends PlanFlags {
  readonly json?: boolean;
}

/** The plan when none is given. */
const DETAILED = 'steps: [profile: { detail: true }]';

/** `sluice profile`: every column of a file, over all of its records. */
export async function profile(
  file: string,
  flags: ProfileFlags,
  signal: AbortSignal,
): Promise<ExitCode> {
  const input = await openInput(file);
  const plan = await readPlan(flags);
  const runner = await embeddedRunner({});
  try {
    const lookups = lookupSources(plan.text, planFolder(flags), flags.lookup ?? []);
    const text = plan.text === '' ? DETAILED : plan.text;
    const about = { input, plan: text, lookups, profile: true };
    const submission = { ...about, onBytes: () => undefined, onStall: () => undefined };
    const { id, received } = await runner.submit(submission, signal);
    await received;
    const job = await waitForEnd(
      runner,
      id,
      ({ status }) => FINAL_STATUSES.includes(status),
      signal,
    );
    if (job.error !== null) {
      process.stderr.write(`${describeJobError(job.error, plan)}\n`);
      return exitCodeFor(job.error.code);
    }
    const found = await runner.profile(id);
    const shown = flags.json === true ? JSON.stringify(found, null, 2) : renderProfile(found);
    process.stdout.write(`${shown}\n`);
    return job.status === 'completed' ? EXIT.done : EXIT.failed;
  } finally {
    await runner.close();
  }
}

const COLUMNS: readonly TableColumn[] = [
  { title: 'column' },
  { title: 'type' },
  { title: 'NULL', align: 'right' },
  { title: 'empty', align: 'right' },
  { title: 'distinct ~', align: 'right' },
  { title: 'min' },
  { title: 'max' },
  { title: 'mean', align: 'right' },
  { title: 'deviation', align: 'right' },
  { title: 'median ~', align: 'right' },
  { title: 'most frequent' },
  { title: 'length', align: 'right' },
];

export function renderProfile(found: Profile): string {
  const records = found.columns.map((column) => [
    column.name,
    column.inferredType,
    formatCount(column.nulls),
    formatCount(column.empty),
    formatCount(column.distinctEstimate),
    column.min ?? '',
    column.max ?? '',
    column.mean === null ? '' : String(column.mean),
    short(column.detail?.stddev),
    short(column.detail?.quantiles.find(({ share }) => share === 0.5)?.value),
    (column.detail?.frequent ?? []).slice(0, 3).map(frequentText).join(', '),
    `${column.lengthMin}..${column.lengthMax}`,
  ]);
  const heading = `${formatCount(found.records)} records, ${found.columns.length} columns`;
  return `${heading}\n\n${renderTable(COLUMNS, records)}`;
}

function short(value: number | null | undefined): string {
  return value == null ? '' : String(Number(value.toPrecision(6)));
}

function frequentText({ value, count }: { value: string; count: number }): string {
  const text = value.length > 20 ? `${value.slice(0, 19)}…` : value;
  return `${text} (${formatCount(count)})`;
}
