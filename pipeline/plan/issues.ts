import { SluiceError } from '../errors.ts';
import type { PlanIssue } from '../protocol/job.ts';
import type { Place } from './schema.ts';

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
    this.issues.push({ message, path, line, column, expected });
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
    const exact = place?.indent !== undefined;
    const message = exact ? thrown.message : `${thrown.message} (character ${String(at + 1)})`;
    this.add(path, message, String(expected), placeInside(place, text, at));
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

/** Under which a key's own place is listed; not a JSON pointer, so it collides with none. */
export function keyPointer(path: string): string {
  return `${path}~key`;
}

/** JSON pointer of a member (RFC 6901). */
export function pointerTo(path: string, key: string | number): string {
  return `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function placeInside(place: Place | undefined, text: string, at: number): Place | undefined {
  if (place?.indent === undefined) return place;
  const before = text.slice(0, at).split('\n');
  const last = before.at(-1) ?? '';
  if (before.length === 1) return { line: place.line, column: place.column + last.length };
  return { line: place.line + before.length - 1, column: place.indent + 1 + last.length };
}
