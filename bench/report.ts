import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import type { Task } from './assignment.ts';
import type { Run } from './measure.ts';
import { memoryOf } from './memory.ts';

export interface Measurement {
  readonly dataset: string;
  readonly bytes: number;
  readonly task: Task;
  readonly subject: string;
  readonly runs: readonly Run[];
  /** 'same' as the reference, 'stage' when there is no answer, else what is wrong. */
  readonly verdict: string;
  /** What a failed subject wrote; null when it did not fail. */
  readonly failure: string | null;
}

export interface Report {
  readonly startedAt: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  readonly megabytes: number;
  readonly repetitions: number;
  readonly measurements: readonly Measurement[];
}

export function describeMachine(): string {
  const all = cpus();
  const memoryGb = Math.round(totalmem() / 1e9);
  return `${all.length} x ${all[0]?.model.trim() ?? 'unknown'}, ${memoryGb} GB, ${process.platform}`;
}

/** Short hash, with '+' when files differ from it; 'unknown' outside a repository. */
export function describeCommit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
  try {
    const dirty = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+';
    return git('rev-parse', '--short', 'HEAD') + dirty;
  } catch {
    return 'unknown';
  }
}

const HEAD = [
  ...['data', 'task', 'subject', 'median', 'min', 'max', 'MB/s'],
  ...['x DuckDB', 'MB/s a core', 'peak MB', 'answer'],
];

/** One line a measurement; runs whose answer is wrong have no figures. */
export function tableOf(report: Report): string[][] {
  return [HEAD, ...report.measurements.map((one) => lineOf(one, report.measurements))];
}

function lineOf(one: Measurement, all: readonly Measurement[]): string[] {
  const { dataset, task, subject, runs, verdict, bytes } = one;
  const start = [dataset, task, subject];
  if (verdict !== 'same' && verdict !== 'stage') {
    return [...start, '', '', '', '', '', '', '', verdict];
  }
  const times = runs.map(({ ms }) => ms);
  const ms = median(times);
  const base = all.find(
    (other) => other.subject === 'DuckDB' && other.dataset === dataset && other.task === task,
  );
  const ratio = base === undefined ? '' : (median(base.runs.map((run) => run.ms)) / ms).toFixed(2);
  const cpuMs = median(runs.map((run) => run.cpuMs));
  const isStage = verdict === 'stage';
  return [
    ...start,
    seconds(ms),
    seconds(Math.min(...times)),
    seconds(Math.max(...times)),
    (bytes / 1000 / ms).toFixed(0),
    isStage ? '' : ratio,
    // A stage's process also reads and prepares; its processor time says nothing about the stage.
    isStage || cpuMs === 0 ? '' : (bytes / 1000 / cpuMs).toFixed(0),
    (Math.max(...runs.map((run) => run.peakResidentBytes)) / 1e6).toFixed(0),
    verdict,
  ];
}

export function asText(table: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, index) =>
    table.reduce((width, line) => Math.max(width, (line[index] ?? '').length), 0),
  );
  return table
    .map((line) =>
      line
        .map((cell, index) => {
          const width = widths[index] ?? 0;
          return index < 3 || index === HEAD.length - 1 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `command`: what wrote it. `charts`: folder of the charts, one for each data set. */
export function asMarkdown(report: Report, command: string, charts: string): string {
  const measured = new Set(report.measurements.map(({ dataset }) => dataset));
  const table = tableOf(report);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = HEAD.map((_, index) => (index < 3 || index === HEAD.length - 1 ? '---' : '---:'));
  return [
    '# Results',
    '',
    `Written by \`${command}\`: ${report.megabytes} MB a file, ${report.repetitions} runs each.`,
    `Commit ${report.commit}, Node ${report.node}, ${report.machine}, ${report.startedAt}.`,
    "Times in seconds; `x DuckDB` is DuckDB's median by the subject's, above 1 is faster than DuckDB.",
    'See [README.md](README.md) for what is measured and what is not.',
    '',
    ...[...measured].map((name) => `![${name}](${charts}/${name}.svg)`),
    '',
    line(table[0] ?? []),
    line(rule),
    ...table.slice(1).map(line),
    '',
    ...memoryOf(report.measurements).map(({ text }) => `- ${text}`),
    '',
  ].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}
