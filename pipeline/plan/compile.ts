import { isSpread } from '../aggregation/spread-measures.ts';
import {
  ENGINE_VERSION,
  type ChunkContext,
  type ColumnNotation,
  type OutputEncoding,
} from '../execution/context.ts';
import { LIMITS } from '../limits.ts';
import { RFC_4180, type Dialect } from '../parsing/dialect.ts';
import type { Column } from '../protocol/job.ts';
import type { Notation } from '../values/notation.ts';
import { findColumn } from './columns.ts';
import { IssueList, pointerTo, StatementIssues } from './issues.ts';
import { constraintSteps } from './constraints.ts';
import { findByName, type Lookup } from './lookup.ts';
import { globalActs, uniqueAct, type GlobalAct } from './global-steps.ts';
import { type PlanDocument, type ResultFormat, type WritePlan } from './schema.ts';
import { plannedSteps, type CompiledStep, type PlannedStep } from './planned-step.ts';
import { withoutSpelling } from './spelling.ts';
import { lowerQuery } from './sql/lower.ts';
import type { GlobalStep, PlanStep, Step, Transformed } from './step.ts';
import { transform } from './transform.ts';
import { planWaves, type WavePlan } from './waves.ts';

/** Their counts have to fit the head of a result. */
const WARNING_COUNT_MAX = 12;

/** What was found out about the input: what a plan is compiled against. */
export interface PlanInput {
  readonly format: 'csv' | 'ndjson' | 'json';
  readonly dialect: Dialect;
  readonly columns: readonly Column[];
  /** The lookup files that came with it; none when left out. */
  readonly lookups?: readonly Lookup[];
}

export interface CompiledPlan {
  /** One for a plan whose steps take records one by one, one more for each exchange. */
  readonly waves: readonly [WavePlan, ...WavePlan[]];
  readonly outputColumns: readonly Column[];
  /** 'records': the chunks' outputs in order are the result; 'aggregate': the merged groups are. */
  readonly shape: 'records' | 'aggregate';
  /** What the result is delivered as; chunks of a Parquet result are stored as NDJSON. */
  readonly resultFormat: ResultFormat;
  /** Columns of the merged groups, before `finalSteps`; null for shape 'records'. */
  readonly groupColumns: readonly Column[] | null;
  /** Steps behind an aggregate: they work on its groups. */
  readonly finalSteps: readonly Step[];
  /** Names of the checks that count, by their number. */
  readonly checks: readonly string[];
  /** The steps as the user knows them. */
  readonly steps: readonly PlannedStep[];
}

/** Binds a plan to an input. Throws 'plan-invalid' or 'plan-unsupported' with issues. */
export function compilePlan(plan: PlanDocument, input: PlanInput): CompiledPlan {
  const issues = new IssueList(plan.places);
  const columns = declaredColumns(plan, input.columns, issues);
  const { lookups = [] } = input;
  const given = givenSteps(plan, columns, lookups, issues);
  const parts: (Step | GlobalAct)[] = [
    ...conformSteps(plan, columns),
    ...constraintSteps(plan.fields, columns, issues),
    ...uniqueFields(plan, columns),
  ];
  const finalSteps: Step[] = [];
  const checks: string[] = [];
  let current: readonly Column[] = columns;
  let groupColumns: readonly Column[] | null = null;
  const planned: CompiledStep[] = [];
  for (const [at, { step, path, issues: faults }] of given.entries()) {
    const isGrouped = groupColumns !== null;
    const isProfiled = parts.some(({ kind }) => kind === 'profile');
    const refused = refusalOf(step, isProfiled);
    if (refused !== null) {
      faults.addUnsupported(path, refused.what, refused.expected);
      continue;
    }
    if (isGlobalStep(step)) {
      planned.push({ step, columns: current, isGrouped });
      const acts = globalActs(step, current, path, faults);
      if (!isGrouped) parts.push(...acts.map((act) => ({ ...act, number: at + 1 })));
      continue;
    }
    const isWarning = step.kind === 'check' && step.severity === 'warn';
    const faultCount = issues.issues.length;
    let done = transform(step, current, path, faults, {
      ...{ lookups, nullstr: plan.read.nullstr },
    });
    if (isWarning) done = numbered(done, checks.push(step.name) - 1);
    const own = done.steps.map((part) => ({ ...part, number: at + 1 }));
    if (isGrouped) finalSteps.push(...own);
    else parts.push(...own.map((part) => meeting(part, step, lookups)));
    if (parts.length + finalSteps.length > LIMITS.planOperationsMax) {
      const what = `The steps up to here come to more than ${LIMITS.planOperationsMax} operations`;
      faults.addKey(path, what, 'fewer steps, or steps on fewer columns');
      break;
    }
    current = done.columns;
    planned.push({ step, columns: current, isGrouped });
    if (step.kind !== 'aggregate') continue;
    // Steps behind would miss columns that nobody forgot.
    if (issues.issues.length > faultCount) break;
    // Groups may be many: the workers merge them. One that stays as it is is merged as the results come.
    const behind = given.slice(at + 1).some((later) => needsGroup(later.step));
    if (step.by.length > 0 || behind || own.some(spreadsValues)) {
      parts.push({ kind: 'group', columns: current, number: at + 1 });
    } else groupColumns = current;
  }
  if (checks.length > WARNING_COUNT_MAX) {
    const expected = `at most ${String(WARNING_COUNT_MAX)} checks of severity warn`;
    issues.add('/steps', `${String(checks.length)} checks have the severity warn`, expected);
  }
  issues.throwIfAny();
  if (groupColumns === null) parts.push(...parquetSteps(plan, current));
  const waves = inputWaves(parts, plan, input, columns);
  return {
    waves,
    outputColumns: current,
    shape: groupColumns === null ? 'records' : 'aggregate',
    resultFormat: plan.write.format,
    groupColumns,
    finalSteps,
    checks,
    steps: plannedSteps(planned, waves),
  };
}

/** A Parquet column holds values of its type alone; groups are of theirs already. */
function parquetSteps(plan: PlanDocument, columns: readonly Column[]): Step[] {
  const typed = columns.filter(({ type }) => type !== 'string').map(({ name }) => name);
  if (plan.write.format !== 'parquet' || typed.length === 0) return [];
  return [{ kind: 'conform', columns: typed }];
}

/** Of the first wave, but for its steps. */
function firstContext(
  plan: PlanDocument,
  input: PlanInput,
  columns: readonly Column[],
): ChunkContext {
  return {
    engine: ENGINE_VERSION,
    input: 'chunk',
    format: input.format === 'csv' ? 'csv' : 'ndjson',
    dialect: input.format === 'csv' ? input.dialect : RFC_4180,
    columns,
    nullstr: plan.read.nullstr,
    onError: plan.read.onError,
    nullPadding: plan.read.nullPadding,
    steps: [],
    write: storedWrite(plan.write),
    exchange: null,
  };
}

interface GivenStep {
  readonly step: PlanStep;
  /** Where it stands in the plan, as a JSON pointer. */
  readonly path: string;
  readonly issues: IssueList;
}

/** The steps of a plan, or those that its statement compiles to over these columns. */
function givenSteps(
  plan: PlanDocument,
  columns: readonly Column[],
  lookups: readonly Lookup[],
  issues: IssueList,
): readonly GivenStep[] {
  const { sql } = plan;
  if (sql === null) {
    const steps: readonly PlanStep[] = plan.steps ?? [{ kind: 'profile', columns: [] }];
    return steps.map((step, index) => {
      return { step, path: pointerTo(pointerTo('/steps', index), step.kind), issues };
    });
  }
  try {
    const names = columns.map(({ name }) => name);
    return lowerQuery(sql.query, names, lookups).map(({ step, at }) => {
      return { step, path: '/sql', issues: new StatementIssues(issues, sql.text, at) };
    });
  } catch (thrown) {
    issues.addExpression('/sql', sql.text, thrown);
    return [];
  }
}

/** The steps of a plan whose input is not known yet. */
export function stepsOf({ steps, sql }: PlanDocument): readonly PlanStep[] {
  return sql === null ? (steps ?? []) : lowerQuery(sql.query, null).map(({ step }) => step);
}

/** A check that counts, with its number. */
function numbered({ steps, columns }: Transformed, warning: number): Transformed {
  return {
    steps: steps.map((step) => (step.kind === 'check' ? { ...step, warning } : step)),
    columns,
  };
}

/** What the chunks' outputs are stored as: NDJSON tells NULL from the empty text, and can be paged. */
function storedWrite({ format, ...options }: WritePlan): OutputEncoding {
  return { format: format === 'parquet' ? 'ndjson' : format, ...options };
}

/** What of a step cannot be done at its place: a job has one profile. */
function refusalOf(
  { kind }: PlanStep,
  isProfiled: boolean,
): { readonly what: string; readonly expected: string } | null {
  if (!isProfiled || kind !== 'profile') return null;
  return { what: 'A second profile', expected: 'one step profile' };
}

/** Whether an aggregate needs more than one group's worth of memory, whatever its keys. */
function spreadsValues(step: Step): boolean {
  return step.kind === 'aggregate' && step.measures.some(isSpread);
}

/** A join to a lookup in parts takes waves of its own. */
function meeting(part: Step, step: PlanStep, lookups: readonly Lookup[]): Step | GlobalAct {
  if (part.kind !== 'join' || step.kind !== 'join') return part;
  const lookup = findByName(lookups, step.lookup);
  if (lookup?.parts === undefined) return part;
  return { kind: 'meet', join: part, lookup };
}

/** Whether a step changes nothing where there is one record. */
function leavesOneRecord(step: GlobalStep): boolean {
  if (step.kind === 'limit') return step.offset === 0 && step.count !== 0;
  return true;
}

/** Whether the one group of an aggregate without keys has to go through a wave of its own: a step
 *  behind it takes it as a record, and may reject it. Most steps over all records leave one alone. */
function needsGroup(step: PlanStep): boolean {
  if (isGlobalStep(step)) return !leavesOneRecord(step);
  switch (step.kind) {
    case 'select':
    case 'drop':
    case 'rename':
    case 'reorder':
      return false;
    case 'derive':
    case 'project':
      return step.columns.some(({ expression }) => expression.ast.kind !== 'column');
    default:
      return true;
  }
}

function isGlobalStep(step: PlanStep): step is GlobalStep {
  return ['sort', 'top_k', 'limit', 'dedupe', 'unique'].includes(step.kind);
}

/** A field that the plan states to be unique is held to it, each by itself. */
function uniqueFields({ fields }: PlanDocument, columns: readonly Column[]): GlobalAct[] {
  return fields.flatMap(({ name, constraints }) => {
    const found = findColumn(columns, name);
    if (constraints.unique !== true || !('position' in found)) return [];
    return [uniqueAct([columns[found.position]?.name ?? name])];
  });
}

/** The input's columns, with the types that the plan states. */
function declaredColumns(
  plan: PlanDocument,
  columns: readonly Column[],
  issues: IssueList,
): readonly Column[] {
  const typed = columns.map(({ name, type }) => ({ name, type }));
  plan.fields.forEach((field, index) => {
    const found = findColumn(typed, field.name);
    if ('position' in found) {
      const column = typed[found.position];
      if (column !== undefined) column.type = field.type;
    } else {
      issues.add(`${pointerTo('/schema/fields', index)}/name`, found.message, found.expected);
    }
  });
  return typed;
}

function inputWaves(
  parts: readonly (Step | GlobalAct)[],
  plan: PlanDocument,
  input: PlanInput,
  columns: readonly Column[],
): CompiledPlan['waves'] {
  const steps = parts.map(withoutSpelling);
  const [first, ...later] = planWaves(steps, firstContext(plan, input, columns));
  const notations = declaredNotations(plan, columns);
  if (notations.length === 0) return [first, ...later];
  // What later waves read was written by the first.
  return [{ ...first, context: { ...first.context, notations } }, ...later];
}

/** How the plan says that cells are written. As with types, what is said last of a column holds. */
function declaredNotations(
  { fields }: PlanDocument,
  columns: readonly Column[],
): readonly ColumnNotation[] {
  const byColumn = new Map<number, Notation | undefined>();
  for (const { name, notation } of fields) {
    const found = findColumn(columns, name);
    if ('position' in found) byColumn.set(found.position, notation);
  }
  const notations = [...byColumn].flatMap(([column, notation]) => {
    return notation === undefined ? [] : [{ column, notation }];
  });
  return notations.sort((left, right) => left.column - right.column);
}

/** A type that the plan states is a promise that every record is held to. */
function conformSteps(plan: PlanDocument, columns: readonly Column[]): Step[] {
  const declared = plan.fields.flatMap(({ name, type }) => {
    const found = findColumn(columns, name);
    return type === 'string' || !('position' in found) ? [] : [found.position];
  });
  if (declared.length === 0) return [];
  declared.sort((left, right) => left - right);
  return [{ kind: 'conform', columns: declared.map((position) => columns[position]?.name ?? '') }];
}
