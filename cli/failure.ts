import { SluiceError, toSluiceError } from '../pipeline/errors.ts';
import type { JobError, PlanIssue } from '../pipeline/protocol/index.ts';

/** Exit codes of every command. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** Wrong usage, or a plan that does not compile. */
  usage: 2,
  /** The work was done, but more records were rejected than the plan allows. */
  rejectsOverBudget: 3,
  /** 128 + SIGINT. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function exitCodeFor(code: string): ExitCode {
  if (code === 'usage' || code === 'plan-invalid' || code === 'plan-unsupported') return EXIT.usage;
  if (code === 'rejects-over-budget') return EXIT.rejectsOverBudget;
  return EXIT.failed;
}

/** Where a plan's text came from, so that its problems can be shown in place. */
export interface PlanText {
  /** File name, or '--sql'. */
  readonly origin: string;
  /** What is sent to the master. */
  readonly text: string;
  /** The statement that the text was made of. */
  readonly sql?: string;
}

/** What went wrong as a paragraph for a person; plan problems with place, line and caret. */
export function describeFailure(thrown: unknown, plan: PlanText | null): string {
  const error = toSluiceError(thrown);
  const issues = planIssues(error.details);
  if (issues.length > 0 && plan !== null) {
    return issues.map((issue) => describeIssue(issue, plan)).join('\n\n');
  }
  return `sluice: ${error.message}${describePlace(error.details)}`;
}

export function describeJobError(error: JobError, plan: PlanText | null): string {
  const known = new SluiceError('internal', error.message, { details: error.details });
  return describeFailure(known, plan);
}

/** `file:line:column: message`, the offending line, and a caret under the place. */
export function describeIssue(issue: PlanIssue, plan: PlanText): string {
  if (plan.sql !== undefined && issue.path === '/sql' && issue.offset !== undefined) {
    return describeIssue(withinStatement(issue, plan.sql, issue.offset), {
      origin: plan.origin,
      text: plan.sql,
    });
  }
  const link = /[.?]$/.test(issue.message) ? ' Expected' : '; expected';
  const expected = issue.message.includes(issue.expected) ? '' : `${link} ${issue.expected}`;
  const message = `${issue.message}${expected}`;
  if (issue.line === null) {
    return `${plan.origin}: ${message}${issue.path === '' ? '' : ` (at ${issue.path})`}`;
  }
  const column = issue.column ?? 1;
  const line = (plan.text.split(/\r\n|\n|\r/)[issue.line - 1] ?? '').replaceAll('\t', ' ');
  const gutter = String(issue.line);
  const place = `${plan.origin}:${issue.line}:${column}: ${message}`;
  if (line === '') return place;
  return [
    place,
    `  ${gutter} | ${line}`,
    `  ${' '.repeat(gutter.length)} | ${' '.repeat(column - 1)}^`,
  ].join('\n');
}

/** The issue with its place in the statement itself, which is named twice no more. */
function withinStatement(issue: PlanIssue, sql: string, offset: number): PlanIssue {
  const before = sql.slice(0, offset).split(/\r\n|\n|\r/);
  const message = issue.message.replace(/ \(character \d+\)$/, '');
  return { ...issue, message, line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

function planIssues(details: Readonly<Record<string, unknown>>): PlanIssue[] {
  const issues: unknown = details['issues'];
  return Array.isArray(issues) ? issues.filter(isPlanIssue) : [];
}

function isPlanIssue(value: unknown): value is PlanIssue {
  if (typeof value !== 'object' || value === null) return false;
  const issue = value as Partial<Record<keyof PlanIssue, unknown>>;
  return typeof issue.message === 'string' && typeof issue.path === 'string';
}

/** Record, line and byte of an input error, where the details say so. */
function describePlace(details: Readonly<Record<string, unknown>>): string {
  const parts = ['step', 'record', 'line', 'column', 'byteOffset']
    .filter((name) => typeof details[name] === 'number')
    .map((name) => `${name === 'byteOffset' ? 'byte' : name} ${String(details[name])}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
