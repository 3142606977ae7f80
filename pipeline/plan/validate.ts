import type { TSchema } from 'typebox';
import { pointerTo, type IssueList } from './issues.ts';
import { suggestion } from './suggest.ts';

/**
 * Checks a value against a TypeBox schema, with messages for people: each fault at its own place,
 * unknown keys with what was meant. Knows the parts of JSON Schema that the plan uses.
 */
export function validate(schema: TSchema, value: unknown, path: string, issues: IssueList): void {
  const rule = schema as Rule;
  if (rule.anyOf !== undefined) {
    validateUnion(rule, value, path, issues);
  } else if (rule.type === 'object') {
    if (isRecord(value)) validateObject(rule, value, path, issues);
    else fault(rule, value, path, issues);
  } else if (rule.type === 'array') {
    if (Array.isArray(value)) validateArray(rule, value, path, issues);
    else fault(rule, value, path, issues);
  } else if (!isScalarOf(rule, value)) {
    fault(rule, value, path, issues);
  }
}

/** Whether it is an object of keys, and not a list or null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Rule {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly const?: unknown;
  readonly anyOf?: readonly TSchema[];
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, TSchema>>;
  readonly items?: TSchema;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
}

function validateUnion(rule: Rule, value: unknown, path: string, issues: IssueList): void {
  const options = (rule.anyOf ?? []) as readonly (TSchema & Rule)[];
  const structured = options.find(
    (option) =>
      (option.type === 'object' && isRecord(value)) ||
      (option.type === 'array' && Array.isArray(value)),
  );
  if (structured !== undefined) validate(structured, value, path, issues);
  else if (!options.some((option) => isScalarOf(option, value))) fault(rule, value, path, issues);
}

function validateObject(
  rule: Rule,
  value: Readonly<Record<string, unknown>>,
  path: string,
  issues: IssueList,
): void {
  const keys = Object.keys(value);
  const open = Object.values(rule.patternProperties ?? {})[0];
  if (open !== undefined && rule.properties === undefined) {
    if (keys.length === 0) fault(rule, value, path, issues);
    for (const key of keys) validateEntry(open, key, value[key], path, issues);
    return;
  }
  const properties = rule.properties ?? {};
  const known = Object.keys(properties);
  for (const key of keys) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const place = pointerTo(path, key);
    if (property !== undefined) {
      validate(property, value[key], place, issues);
    } else {
      const message = `Unknown key ${JSON.stringify(key)}.${suggestion(key, known)}`;
      issues.addKey(place, message, `one of ${known.join(', ')}`);
    }
  }
  for (const key of rule.required ?? []) {
    if (Object.hasOwn(value, key)) continue;
    issues.add(
      path,
      `${JSON.stringify(key)} is missing`,
      (properties[key] as Rule).description ?? key,
    );
  }
}

/** A text with a comma that is not quoted falls apart within `{ }` of YAML: what is behind the comma
 *  is a key of nothing. */
function validateEntry(
  rule: TSchema,
  key: string,
  value: unknown,
  path: string,
  issues: IssueList,
): void {
  if (value !== null) {
    validate(rule, value, pointerTo(path, key), issues);
    return;
  }
  const expected = `${nameOf(rule)}; one with a comma stands in quotes within { }`;
  issues.addKey(pointerTo(path, key), `There is nothing behind ${JSON.stringify(key)}`, expected);
}

function validateArray(
  rule: Rule,
  value: readonly unknown[],
  path: string,
  issues: IssueList,
): void {
  if (value.length < (rule.minItems ?? 0)) fault(rule, value, path, issues);
  const { items } = rule;
  if (items === undefined) return;
  value.forEach((item, index) => {
    validate(items, item, pointerTo(path, index), issues);
  });
}

function isScalarOf(rule: Rule, value: unknown): boolean {
  if (rule.const !== undefined) return value === rule.const;
  switch (rule.type) {
    case undefined:
      return true;
    case 'string':
      return typeof value === 'string' && value.length >= (rule.minLength ?? 0);
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isSafeInteger(value) && isWithin(rule, value as number);
    case 'number':
      return typeof value === 'number' && isWithin(rule, value);
    default:
      return false;
  }
}

function isWithin(rule: Rule, value: number): boolean {
  return value >= (rule.minimum ?? -Infinity) && value <= (rule.maximum ?? Infinity);
}

function fault(rule: Rule, value: unknown, path: string, issues: IssueList): void {
  const expected = nameOf(rule);
  issues.add(path, `${shown(value)} is not ${expected}`, expected);
}

function nameOf({ description, type, const: value }: Rule): string {
  if (description !== undefined) return description;
  if (type === undefined) return JSON.stringify(value);
  return TYPE_NAMES[type];
}

const TYPE_NAMES = {
  ...{ object: 'an object', array: 'a list', string: 'a text', boolean: 'true or false' },
  ...{ integer: 'a whole number', number: 'a number' },
} as const;

function shown(value: unknown): string {
  if (value === null) return 'Nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'An empty list' : 'A list';
  if (isRecord(value)) return 'An object';
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return 'This';
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
