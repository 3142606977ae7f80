import { LIMITS } from '../limits.ts';
import { parseExpression } from './expression/parser.ts';
import { pointerTo, type IssueList } from './issues.ts';
import { parseMeasure } from './measure.ts';
import { STEP_SCHEMAS, type StepName } from './schema.ts';
import type {
  ExpressionPlan,
  GroupKey,
  JoinKind,
  MeasurePlan,
  NamedText,
  PlanStep,
  SortKey,
  StepKind,
} from './step.ts';
import { suggestion } from './suggest.ts';
import { typeNamed, TYPE_NAMES } from './expression/type-name.ts';
import { isRecord, validate } from './validate.ts';

const STEP_NAMES = Object.keys(STEP_SCHEMAS) as StepName[];

const EXPECTED = 'a step, such as - filter: "amount > 0"';

/** Steps as written, normalised. What is wrong goes to `issues`, and the step is left out. */
export function readSteps(value: readonly unknown[], issues: IssueList): PlanStep[] {
  const steps: PlanStep[] = [];
  const { planStepsMax } = LIMITS;
  if (value.length > planStepsMax) {
    issues.add('/steps', `There are ${value.length} steps`, `at most ${planStepsMax}`);
    return [];
  }
  value.forEach((item, index) => {
    const step = readStep(item, pointerTo('/steps', index), issues);
    if (step !== undefined) steps.push(step);
  });
  return steps;
}

function readStep(item: unknown, path: string, issues: IssueList): PlanStep | undefined {
  const keys = isRecord(item) ? Object.keys(item) : [];
  const [key] = keys;
  if (!isRecord(item) || key === undefined || keys.length !== 1) {
    issues.add(path, 'A step is an object of one key, its name', EXPECTED);
    return undefined;
  }
  const pointer = pointerTo(path, key);
  const name = STEP_NAMES.find((candidate) => candidate === key);
  if (name === undefined) {
    const message = `Unknown step ${JSON.stringify(key)}.${suggestion(key, STEP_NAMES)}`;
    issues.addKey(pointer, message, `one of ${STEP_NAMES.join(', ')}`);
    return undefined;
  }
  const before = issues.issues.length;
  validate(STEP_SCHEMAS[name], item[key], pointer, issues);
  return issues.issues.length > before ? undefined : normalise(name, item[key], pointer, issues);
}

/** `value` has been validated against the step's schema. */
function normalise(
  kind: StepKind,
  value: unknown,
  path: string,
  issues: IssueList,
): PlanStep | undefined {
  switch (kind) {
    case 'select':
    case 'drop':
    case 'reorder':
    case 'unique':
      return { kind, columns: value as string[] };
    case 'sort':
      return { kind, keys: readSortKeys(value as readonly SortKeyFile[]) };
    case 'limit':
      return readLimit(value as LimitFile);
    case 'profile': {
      const options = isRecord(value) ? value : { columns: value };
      const columns = namesOf(options.columns ?? '*');
      return { kind, columns, ...(options.detail === true ? { detail: true } : {}) };
    }
    case 'trim':
      return { kind, columns: namesOf(value) };
    case 'rename': {
      const pairs = Object.entries(value as Record<string, string>);
      return { kind, names: pairs.map(([from, to]) => ({ from, to })) };
    }
    case 'filter': {
      const expression = readExpression(value as string, path, issues);
      return expression && { kind, expression };
    }
    case 'derive':
    case 'project':
      return { kind, columns: readExpressions(value as Record<string, string>, path, issues) };
    case 'cast':
      return { kind, types: readTypes(value as Record<string, string>, path, issues) };
    case 'check':
      return readCheck(value as CheckFile, path, issues);
    case 'aggregate':
      return readAggregate(value as AggregateFile, path, issues);
    case 'fill_null':
      return { kind, values: readTexts(value as Record<string, unknown>, path, issues) };
    case 'map_values': {
      const maps = Object.entries(value as Record<string, Record<string, unknown>>);
      const read = maps.map(([name, values]) => ({
        name,
        values: readTexts(values, pointerTo(path, name), issues),
      }));
      return { kind, maps: read };
    }
    default:
      return normaliseOptions(kind, value as Readonly<Record<string, never>>);
  }
}

type HandledStep =
  | ('select' | 'drop' | 'reorder' | 'unique' | 'profile' | 'trim' | 'rename' | 'filter')
  | (
      | 'derive'
      | 'project'
      | 'cast'
      | 'check'
      | 'aggregate'
      | 'fill_null'
      | 'map_values'
      | 'sort'
      | 'limit'
    );

/** Steps of an object of options. */
function normaliseOptions(
  kind: Exclude<StepKind, HandledStep>,
  value: Readonly<Record<string, never>>,
): PlanStep {
  switch (kind) {
    case 'case':
      return { kind, columns: namesOf(value.columns), to: value.to! };
    case 'replace': {
      const columns = namesOf(value.columns);
      const isRegex = value.regex === true;
      return { kind, columns, find: value.find!, with: value.with!, isRegex };
    }
    case 'split':
      return { kind, column: value.column!, by: value.by!, into: value.into! };
    case 'merge':
      return { kind, columns: value.columns!, with: value.with!, into: value.into! };
    case 'parse_date':
      return { kind, column: value.column!, format: value.format! };
    case 'hash':
      return { kind, columns: value.columns!, algorithm: value.algorithm ?? 'sha256' };
    case 'mask':
      return { kind, columns: value.columns!, keep: value.keep ?? 0 };
    case 'sample':
      return { kind, fraction: value.fraction!, seed: value.seed ?? 0 };
    case 'top_k':
      return { kind, keys: readSortKeys(value.by!), count: value.k! };
    case 'dedupe':
      return { kind, by: value.by ?? [], keep: value.keep ?? 'first' };
    case 'join':
      return readJoin(value as unknown as JoinFile);
  }
}

interface AggregateFile {
  readonly by?: readonly (string | Readonly<Record<string, string>>)[];
  readonly measures: Readonly<Record<string, string>>;
}

type SortKeyFile =
  string | { readonly by: string; readonly desc?: boolean; readonly nulls?: 'first' | 'last' };

type LimitFile = number | { readonly count?: number; readonly offset?: number };

interface CheckFile {
  readonly expr: string;
  readonly name?: string;
  readonly severity?: 'reject' | 'warn';
}

interface JoinFile {
  readonly with: string;
  readonly on: Readonly<Record<string, string>>;
  readonly how?: JoinKind;
  readonly select?: readonly string[];
}

function readJoin({ with: lookup, on: pairs, how = 'inner', select }: JoinFile): PlanStep {
  const on = Object.entries(pairs).map(([column, lookupColumn]) => ({ column, lookupColumn }));
  return { kind: 'join', lookup, on, how, select: select ?? null };
}

/** As in DuckDB, NULL comes last in either direction unless the plan says otherwise. */
function readSortKeys(keys: readonly SortKeyFile[]): SortKey[] {
  return keys.map((key) => {
    const { by, desc = false, nulls = 'last' } = typeof key === 'string' ? { by: key } : key;
    return { column: by, desc, nulls };
  });
}

function readLimit(value: LimitFile): PlanStep {
  const { count = null, offset = 0 } = typeof value === 'number' ? { count: value } : value;
  return { kind: 'limit', count, offset };
}

function namesOf(value: unknown): readonly string[] {
  return value === '*' ? [] : (value as string[]);
}

function readExpression(text: string, path: string, issues: IssueList): ExpressionPlan | undefined {
  try {
    return { text, ast: parseExpression(text) };
  } catch (thrown) {
    issues.addExpression(path, text, thrown);
    return undefined;
  }
}

function readExpressions(
  value: Readonly<Record<string, string>>,
  path: string,
  issues: IssueList,
): { name: string; expression: ExpressionPlan }[] {
  return Object.entries(value).flatMap(([name, text]) => {
    const expression = readExpression(text, pointerTo(path, name), issues);
    return expression === undefined ? [] : [{ name, expression }];
  });
}

function readTypes(
  value: Readonly<Record<string, string>>,
  path: string,
  issues: IssueList,
): Extract<PlanStep, { kind: 'cast' }>['types'] {
  return Object.entries(value).flatMap(([name, text]) => {
    const type = typeNamed(text);
    if (type !== undefined) return [{ name, type }];
    issues.add(pointerTo(path, name), `${JSON.stringify(text)} is not a type`, TYPE_NAMES);
    return [];
  });
}

/** Values as texts: numbers and booleans as JSON spells them. */
function readTexts(
  value: Readonly<Record<string, unknown>>,
  path: string,
  issues: IssueList,
): NamedText[] {
  return Object.entries(value).flatMap(([name, item]) => {
    if (['string', 'number', 'boolean'].includes(typeof item))
      return [{ name, text: String(item) }];
    issues.add(pointerTo(path, name), 'This is not a value', 'a text, a number or a boolean');
    return [];
  });
}

function readCheck(value: CheckFile, path: string, issues: IssueList): PlanStep | undefined {
  const expression = readExpression(value.expr, `${path}/expr`, issues);
  const name = value.name ?? value.expr;
  return expression && { kind: 'check', expression, name, severity: value.severity ?? 'reject' };
}

function readAggregate(value: AggregateFile, path: string, issues: IssueList): PlanStep {
  const by = (value.by ?? []).flatMap((key, index): GroupKey[] => {
    if (typeof key === 'string') return [{ name: key, expression: null }];
    return readExpressions(key, pointerTo(`${path}/by`, index), issues);
  });
  const measures: MeasurePlan[] = [];
  for (const [name, text] of Object.entries(value.measures)) {
    try {
      measures.push(parseMeasure(name, text));
    } catch (thrown) {
      issues.addExpression(pointerTo(`${path}/measures`, name), text, thrown);
    }
  }
  return { kind: 'aggregate', by, measures };
}
