import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Scalar,
} from 'yaml';
import { SluiceError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { IssueList, keyPointer, pointerTo } from './issues.ts';
import type { Place } from './schema.ts';

/** A plan's text as a value, with the place of each part. JSON is read as the YAML it is. */
export interface PlanSource {
  /** Null for an empty text. Keys such as `__proto__` are own keys like any other. */
  readonly value: unknown;
  readonly places: readonly (readonly [pointer: string, place: Place])[];
}

/** Values after aliases are expanded: bounds what a few lines of nested aliases can become. */
const VALUE_COUNT_MAX = 100_000;
const VALUE_DEPTH_MAX = 64;

/** Throws 'plan-invalid' with issues. */
export function readPlanSource(text: string): PlanSource {
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.planBytesMax) {
    throw refusal(
      `The plan has ${String(bytes)} bytes`,
      null,
      `at most ${String(LIMITS.planBytesMax)} bytes`,
    );
  }
  if (bracketDepth(text) > VALUE_DEPTH_MAX * 4) throw tooDeep(null);
  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep(null);
    throw refusal(`The plan is not YAML: ${String(cause)}`, null, 'YAML or JSON');
  }
  const fault = document.errors[0];
  if (fault !== undefined) {
    const place = lines.linePos(fault.pos[0]);
    throw refusal(`The plan is not YAML: ${fault.message}`, asPlace(place), 'YAML or JSON');
  }
  return new Converter(text, lines, document).convert();
}

class Converter {
  private readonly places: (readonly [string, Place])[] = [];
  private count = 0;
  private readonly text: string;
  private readonly lines: LineCounter;
  private readonly document: Document.Parsed;

  constructor(text: string, lines: LineCounter, document: Document.Parsed) {
    this.text = text;
    this.lines = lines;
    this.document = document;
  }

  convert(): PlanSource {
    return { value: this.value(this.document.contents, '', 0), places: this.places };
  }

  private value(node: unknown, path: string, depth: number): unknown {
    this.count += 1;
    const place = this.place(node as Node | null);
    if (depth > VALUE_DEPTH_MAX) throw tooDeep(place);
    if (this.count > VALUE_COUNT_MAX) {
      throw refusal(
        'The plan has too many values',
        place,
        `at most ${String(VALUE_COUNT_MAX)} values`,
      );
    }
    if (isAlias(node)) {
      const target = node.resolve(this.document);
      if (target === undefined) throw refusal('The alias has no anchor', place, 'an anchor');
      return this.value(target, path, depth + 1);
    }
    if (place !== null) this.places.push([path, place]);
    if (isMap(node)) return this.map(node.items, path, depth);
    if (isSeq(node)) {
      return node.items.map((item, index) => this.value(item, pointerTo(path, index), depth + 1));
    }
    return isScalar(node) ? this.scalar(node, path) : null;
  }

  private map(
    items: readonly { readonly key: unknown; readonly value: unknown }[],
    path: string,
    depth: number,
  ): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    for (const pair of items) {
      const key: unknown = isScalar(pair.key) ? pair.key.value : undefined;
      const place = this.place(pair.key as Node | null);
      if (!isKey(key)) {
        throw refusal('A key is not a text', place, 'a text');
      }
      const name = String(key);
      const pointer = pointerTo(path, name);
      if (place !== null) this.places.push([keyPointer(pointer), place]);
      const value = this.value(pair.value, pointer, depth + 1);
      Object.defineProperty(record, name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return record;
  }

  private scalar(node: Scalar, path: string): unknown {
    const { value } = node;
    if (typeof value === 'string') {
      const inside = this.placeOfText(node, value);
      if (inside !== null) this.places.push([path, inside]);
    }
    return typeof value === 'bigint' ? Number(value) : value;
  }

  /** Where the first character of a text stands, when its lines stand in the source as they are. */
  private placeOfText(node: Scalar, value: string): Place | null {
    const range = node.range;
    if (!range) return null;
    if (node.type === 'BLOCK_LITERAL') {
      const first = this.text.indexOf('\n', range[0]) + 1;
      const indent = /^ */.exec(this.text.slice(first, first + 1000))?.[0].length ?? 0;
      const { line } = this.lines.linePos(first);
      return { line, column: indent + 1, indent };
    }
    const start = range[0] + (node.type === 'PLAIN' ? 0 : 1);
    if (value.includes('\n') || !this.text.startsWith(value, start)) return null;
    const place = asPlace(this.lines.linePos(start));
    return place === null ? null : { ...place, indent: 0 };
  }

  private place(node: Node | null): Place | null {
    const range = node?.range;
    return range ? asPlace(this.lines.linePos(range[0])) : null;
  }
}

/** YAML allows keys that are numbers or booleans; they count as their texts. */
function isKey(key: unknown): key is string | number | boolean | bigint {
  return ['string', 'number', 'boolean', 'bigint'].includes(typeof key);
}

/** Of [ and {, quotes not regarded: an upper bound, before the parser recurses. */
function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth -= 1;
  }
  return deepest;
}

function asPlace(position: { readonly line: number; readonly col: number }): Place | null {
  return position.line > 0 ? { line: position.line, column: position.col } : null;
}

function tooDeep(place: Place | null): SluiceError {
  const expected = `at most ${String(VALUE_DEPTH_MAX)} levels`;
  return refusal('The plan is nested too deeply', place, expected);
}

function refusal(message: string, place: Place | null, expected: string): SluiceError {
  const issues = new IssueList([]);
  issues.add('', message, expected, place ?? undefined);
  const issue = issues.issues[0];
  return new SluiceError('plan-invalid', message, { details: { issues: issue ? [issue] : [] } });
}
