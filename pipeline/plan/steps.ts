import { parseExpression } from './expression/parser.ts';
import { pointerTo, type IssueList } from './issues.ts';
import { parseMeasure } from './measure.ts';
import { STEP_SCHEMAS, type Measure, type Step, type StepKind, type StepName } from './schema.ts';
import { suggestion } from './suggest.ts';
import { isRecord, validate } from './validate.ts';

const STEP_NAMES = Object.keys(STEP_SCHEMAS) as StepName[];
type WorkingStep = Exclude<StepKind, 'conform'>;

const WORKING: readonly WorkingStep[] = [
  'select',
  'drop',
  'rename',
  'filter',
  'aggregate',
  'profile',
];
const EXPECTED = 'a step, such as - filter: "amount > 0"';

/** Steps as written, normalised. What is wrong goes to `issues`, and the step is left out. */
export function readSteps(value: readonly unknown[], issues: IssueList): Step[] {
  const steps: Step[] = [];
  value.forEach((item, index) => {
    const step = readStep(item, pointerTo('/steps', index), issues);
    if (step !== undefined) steps.push(step);
  });
  return steps;
}

function readStep(item: unknown, path: string, issues: IssueList): Step | undefined {
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
  const kind = WORKING.find((candidate) => candidate === name);
  if (kind === undefined) {
    issues.addUnsupported(pointer, `The step ${name}`, `one of ${WORKING.join(', ')}`);
    return undefined;
  }
  const before = issues.issues.length;
  validate(STEP_SCHEMAS[kind], item[key], pointer, issues);
  return issues.issues.length > before ? undefined : normalise(kind, item[key], pointer, issues);
}

/** `value` has been validated against the step's schema. */
function normalise(
  kind: WorkingStep,
  value: unknown,
  path: string,
  issues: IssueList,
): Step | undefined {
  switch (kind) {
    case 'select':
    case 'drop':
      return { kind, columns: value as string[] };
    case 'profile':
      return { kind, columns: value === '*' ? [] : (value as string[]) };
    case 'rename': {
      const pairs = Object.entries(value as Record<string, string>);
      return { kind, names: pairs.map(([from, to]) => ({ from, to })) };
    }
    case 'filter':
      return readFilter(value as string, path, issues);
    case 'aggregate':
      return readAggregate(value as AggregateFile, path, issues);
  }
}

interface AggregateFile {
  readonly by?: readonly string[];
  readonly measures: Readonly<Record<string, string>>;
}

function readFilter(text: string, path: string, issues: IssueList): Step | undefined {
  try {
    return { kind: 'filter', expression: { text, ast: parseExpression(text) } };
  } catch (thrown) {
    issues.addExpression(path, text, thrown);
    return undefined;
  }
}

function readAggregate(value: AggregateFile, path: string, issues: IssueList): Step {
  const measures: Measure[] = [];
  for (const [name, text] of Object.entries(value.measures)) {
    try {
      measures.push(parseMeasure(name, text));
    } catch (thrown) {
      issues.addExpression(pointerTo(`${path}/measures`, name), text, thrown);
    }
  }
  return { kind: 'aggregate', by: value.by ?? [], measures };
}
