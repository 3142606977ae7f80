import { SluiceError, type ErrorCode } from '../errors.ts';
import type { PlanIssue } from '../protocol/plan-check.ts';
import type { Place } from './schema.ts';

/** Of a message, and of what was expected, in characters. */
const TEXT_LENGTH_MAX = 800;

/** Collects what is wrong with a plan, with the place of each. */
export class IssueList {
  readonly issues: PlanIssue[] = [];
  private unsupportedCount = 0;
  private readonly places: ReadonlyMap<string, Place>;

  constructor(places: Iterable<readonly [string, Place]>) {
    this.places = new Map(places);
  }

  get isEmpty(): boolean {
    return this.issues.length === 0;
  }

  /** Adds a fault at a JSON pointer. */
  add(path: string, message: string, expected: string, place = this.placeOf(path)): void {
    const { line, column } = place ?? { line: null, column: null };
    this.push({ message, path, line, column, expected });
  }

  /** Adds a fault of the key itself. */
  addKey(path: string, message: string, expected: string): void {
    this.add(path, message, expected, this.places.get(keyPointer(path)) ?? this.placeOf(path));
  }

  /** Adds a feature that exists in the language and is not built. */
  addUnsupported(path: string, what: string, expected: string): void {
    this.unsupportedCount += 1;
    this.addKey(path, `${what} is not supported yet`, expected);
  }

  /** Adds the fault of an expression that stands at `path`; other errors are thrown on. */
  addExpression(path: string, text: string, thrown: unknown): void {
    if (!(thrown instanceof SluiceError)) throw thrown;
    const { at, expected } = thrown.details;
    if (typeof at !== 'number') throw thrown;
    if (thrown.code === 'plan-unsupported') this.unsupportedCount += 1;
    const place = this.placeOf(path);
    const { line, column } = placeInside(place, text, at) ?? { line: null, column: null };
    const exact = place?.indent !== undefined;
    const said = exact ? thrown.message : `${thrown.message} (character ${String(at + 1)})`;
    // Columns that a plan makes for itself are shown as what they hold.
    const message = said.replaceAll('\\u0000', '');
    // In other dialects of SQL that is how a text is written.
    const isQuotedName = message.startsWith('There is no column') && text[at] === '"';
    const more = isQuotedName ? `; a text stands in single quotes` : '';
    const all = `${String(expected)}${more}`;
    this.push({ message, path, line, column, offset: at, expected: all });
  }

  private push(issue: PlanIssue): void {
    const { message, expected } = issue;
    this.issues.push({ ...issue, message: shortened(message), expected: shortened(expected) });
  }

  /** Throws 'plan-invalid', or 'plan-unsupported' when nothing else is wrong. */
  throwIfAny(): void {
    const first = this.issues[0];
    if (first === undefined) return;
    const code = this.unsupportedCount === this.issues.length ? 'plan-unsupported' : 'plan-invalid';
    const where =
      first.line === null ? '' : ` (line ${String(first.line)}, column ${String(first.column)})`;
    throw new SluiceError(code, `${first.message}${where}`, { details: { issues: this.issues } });
  }

  /** Of the value, or of the nearest value around it. */
  private placeOf(path: string): Place | undefined {
    for (let pointer = path; ; pointer = pointer.slice(0, pointer.lastIndexOf('/'))) {
      const place = this.places.get(pointer);
      if (place !== undefined || pointer === '') return place;
    }
  }
}

/** Takes the faults of steps that a statement compiled to, and adds them to a plan's where the
 *  statement has what the step does. */
export class StatementIssues extends IssueList {
  private readonly plan: IssueList;
  private readonly text: string;
  private readonly at: number;

  /** `at` is where the step's part of the statement `text` stands. */
  constructor(plan: IssueList, text: string, at: number) {
    super([]);
    this.plan = plan;
    this.text = text;
    this.at = at;
  }

  override add(_path: string, message: string, expected: string): void {
    this.fault(message, expected, 'plan-invalid');
  }

  override addKey(path: string, message: string, expected: string): void {
    this.add(path, message, expected);
  }

  override addUnsupported(_path: string, what: string, expected: string): void {
    this.fault(`${what} is not supported yet`, expected, 'plan-unsupported');
  }

  override addExpression(_path: string, _text: string, thrown: unknown): void {
    this.plan.addExpression('/sql', this.text, thrown);
  }

  private fault(message: string, expected: string, code: ErrorCode): void {
    const details = { at: this.at, expected };
    this.addExpression('', '', new SluiceError(code, message, { details }));
  }
}

/** Under which a key's own place is listed; not a JSON pointer, so it collides with none. */
export function keyPointer(path: string): string {
  return `${path}~key`;
}

/** JSON pointer of a member (RFC 6901). */
export function pointerTo(path: string, key: string | number): string {
  return `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A plan may hold a name or a literal of a megabyte: its beginning and its end say which. */
function shortened(text: string): string {
  if (text.length <= TEXT_LENGTH_MAX) return text;
  return `${text.slice(0, TEXT_LENGTH_MAX / 2)} … ${text.slice(-TEXT_LENGTH_MAX / 4)}`;
}

function placeInside(place: Place | undefined, text: string, at: number): Place | undefined {
  if (place?.indent === undefined) return place;
  const before = text.slice(0, at).split('\n');
  const last = before.at(-1) ?? '';
  if (before.length === 1) return { line: place.line, column: place.column + last.length };
  return { line: place.line + before.length - 1, column: place.indent + 1 + last.length };
}
