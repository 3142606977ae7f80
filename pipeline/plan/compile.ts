import { ENGINE_VERSION, type ChunkContext } from '../execution/context.ts';
import { RFC_4180, type Dialect } from '../parsing/dialect.ts';
import type { Column } from '../protocol/job.ts';
import { findColumn } from './columns.ts';
import { IssueList, pointerTo } from './issues.ts';
import { constraintSteps } from './constraints.ts';
import type { Lookup } from './lookup.ts';
import { globalActs, isAct, type GlobalAct } from './global-steps.ts';
import { STEP_SCOPES, type PlanDocument, type StepScope } from './schema.ts';
import type { GlobalStep, PlanStep, Step, StepKind } from './step.ts';
import { transform } from './transform.ts';
import { planWaves, type WavePlan } from './waves.ts';

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
  /** Columns of the merged groups, before `finalSteps`; null for shape 'records'. */
  readonly groupColumns: readonly Column[] | null;
  /** Steps behind an aggregate: they work on its groups. */
  readonly finalSteps: readonly Step[];
  /** The steps as the user knows them. */
  readonly steps: readonly { readonly kind: StepKind; readonly scope: StepScope }[];
}

/** Binds a plan to an input. Throws 'plan-invalid' or 'plan-unsupported' with issues. */
export function compilePlan(plan: PlanDocument, input: PlanInput): CompiledPlan {
  const issues = new IssueList(plan.places);
  const columns = declaredColumns(plan, input.columns, issues);
  const given: readonly PlanStep[] = plan.steps ?? [{ kind: 'profile', columns: [] }];
  const parts: (Step | GlobalAct)[] = [
    ...conformSteps(plan, columns),
    ...constraintSteps(plan.fields, columns, issues),
  ];
  const finalSteps: Step[] = [];
  let current: readonly Column[] = columns;
  let groupColumns: readonly Column[] | null = null;
  given.forEach((step, index) => {
    const path = pointerTo(pointerTo('/steps', index), step.kind);
    if (groupColumns !== null && (step.kind === 'aggregate' || step.kind === 'profile')) {
      issues.addUnsupported(path, `${step.kind} after aggregate`, 'select, drop, rename or filter');
      return;
    }
    if (step.kind === 'profile' && parts.some(({ kind }) => kind === 'profile')) {
      issues.addUnsupported(path, 'A second profile', 'one step profile');
      return;
    }
    if (groupColumns !== null && step.kind === 'join') {
      issues.addUnsupported(path, 'join after aggregate', 'the join before the aggregate');
      return;
    }
    if (isGlobalStep(step)) {
      if (groupColumns === null) parts.push(...globalActs(step, current, path, issues));
      else issues.addUnsupported(path, `${step.kind} after aggregate`, 'another step');
      return;
    }
    if (step.kind === 'aggregate' && parts.some(isAct)) {
      issues.addUnsupported(path, 'aggregate after a global step', 'the aggregate before it');
    }
    const done = transform(step, current, path, issues, input.lookups);
    (groupColumns === null ? parts : finalSteps).push(...done.steps);
    current = done.columns;
    if (step.kind === 'aggregate') groupColumns = done.columns;
  });
  issues.throwIfAny();
  const context: ChunkContext = {
    engine: ENGINE_VERSION,
    input: 'chunk',
    format: input.format === 'csv' ? 'csv' : 'ndjson',
    dialect: input.format === 'csv' ? input.dialect : RFC_4180,
    columns,
    nullstr: plan.read.nullstr,
    onError: plan.read.onError,
    nullPadding: plan.read.nullPadding,
    steps: [],
    write: plan.write,
    exchange: null,
  };
  return {
    waves: planWaves(parts, context),
    outputColumns: current,
    shape: groupColumns === null ? 'records' : 'aggregate',
    groupColumns,
    finalSteps,
    steps: given.map(({ kind }) => ({ kind, scope: scopeOf(kind) })),
  };
}

/** Scope of a step. */
export function scopeOf(kind: StepKind): StepScope {
  return STEP_SCOPES[kind];
}

function isGlobalStep(step: PlanStep): step is GlobalStep {
  return ['sort', 'top_k', 'limit', 'dedupe', 'unique'].includes(step.kind);
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
