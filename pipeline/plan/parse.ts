import { checkFieldOptions, notationOf } from './field-options.ts';
import { IssueList, pointerTo } from './issues.ts';
import {
  PlanFile,
  type PlanDocument,
  type DeclaredField,
  type FieldFile,
  type ReadPlan,
  type WritePlan,
} from './schema.ts';
import { readPlanSource } from './source.ts';
import { lowerQuery } from './sql/lower.ts';
import { parseStatement } from './sql/parse-statement.ts';
import type { SqlPlan } from './sql/statement.ts';
import { readSteps } from './steps.ts';
import { isRecord, validate } from './validate.ts';

/**
 * Reads a plan, YAML or JSON; '' is the plain job. Throws 'plan-invalid', or 'plan-unsupported' when
 * all that is wrong is that Sluice cannot do it yet; `details.issues` holds every PlanIssue.
 */
export function parsePlan(text: string): PlanDocument {
  const source = readPlanSource(text);
  const issues = new IssueList(source.places);
  const value = source.value ?? {};
  validate(PlanFile, value, '', issues);
  if (!isRecord(value)) {
    issues.throwIfAny();
    return parsePlan('');
  }
  const steps = Array.isArray(value.steps) ? readSteps(value.steps as unknown[], issues) : [];
  const sql = typeof value.sql === 'string' ? readSql(value.sql, issues) : null;
  if (value.sql !== undefined && value.steps !== undefined) {
    issues.addKey('/sql', 'A plan has sql or steps, not both', 'one of them');
  }
  refuseUnsupported(value, issues);
  issues.throwIfAny();
  const file = value as PlanFile;
  return {
    version: 1,
    read: readPlan(file.read ?? {}),
    fields: (file.schema?.fields ?? []).map(readField),
    steps: steps.length === 0 ? null : steps,
    sql,
    write: writePlan(file.write ?? {}),
    limits: {
      maxRejects: file.limits?.max_rejects ?? null,
      maxRejectRatio: file.limits?.max_reject_ratio ?? null,
    },
    places: source.places,
  };
}

function readSql(text: string, issues: IssueList): SqlPlan | null {
  try {
    const query = parseStatement(text);
    // What is wrong whatever the columns are is told before the input is looked at.
    lowerQuery(query, null);
    return { text, query };
  } catch (thrown) {
    issues.addExpression('/sql', text, thrown);
    return null;
  }
}

function readPlan(read: NonNullable<PlanFile['read']>): ReadPlan {
  const nullstr = read.nullstr ?? [''];
  return {
    format: read.format ?? 'auto',
    delim: read.delim ?? 'auto',
    quote: read.quote ?? 'auto',
    escape: read.escape ?? 'auto',
    newline: read.newline ?? 'auto',
    header: read.header ?? 'auto',
    skip: read.skip ?? 0,
    comment: read.comment ?? '',
    nullstr: typeof nullstr === 'string' ? [nullstr] : nullstr,
    encoding: read.encoding ?? 'auto',
    compression: read.compression ?? 'auto',
    onError: read.on_error ?? 'reject',
    nullPadding: read.null_padding ?? false,
  };
}

function writePlan(write: NonNullable<PlanFile['write']>): WritePlan {
  return {
    format: write.format ?? 'csv',
    delim: write.delim ?? ',',
    quote: write.quote ?? '"',
    quoting: write.quoting ?? 'minimal',
    newline: write.newline === 'crlf' ? '\r\n' : '\n',
    nullstr: write.nullstr ?? null,
    header: write.header ?? true,
    bom: write.bom ?? false,
    escapeFormulas: write.escape_formulas ?? false,
  };
}

/** Bounds and the values of an enum become texts, which cast to the field's type. */
function readField(field: FieldFile): DeclaredField {
  const { name, type = 'string', constraints } = field;
  const { required, unique, minimum, maximum, minLength, maxLength, pattern } = constraints ?? {};
  return {
    name,
    type,
    ...notationOf(field, type),
    constraints: {
      ...(required === true ? { required } : {}),
      ...(unique === true ? { unique } : {}),
      ...(minimum === undefined ? {} : { minimum: scalarText(minimum) }),
      ...(maximum === undefined ? {} : { maximum: scalarText(maximum) }),
      ...(minLength === undefined ? {} : { minLength }),
      ...(maxLength === undefined ? {} : { maxLength }),
      ...(pattern === undefined ? {} : { pattern }),
      ...(constraints?.enum === undefined ? {} : { enum: constraints.enum.map(scalarText) }),
    },
  };
}

function scalarText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Parts of the language that are in the schema and not built. */
function refuseUnsupported(plan: Readonly<Record<string, unknown>>, issues: IssueList): void {
  const schema = isRecord(plan.schema) ? plan.schema : {};
  const fields = Array.isArray(schema.fields) ? (schema.fields as unknown[]) : [];
  const names = new Set<unknown>();
  fields.forEach((field, index) => {
    if (!isRecord(field)) return;
    const path = pointerTo('/schema/fields', index);
    if (field.format !== undefined) {
      const expected = 'a step such as parse_date';
      issues.addUnsupported(pointerTo(path, 'format'), 'format of a field', expected);
    }
    checkFieldOptions(field, path, issues);
    refuseConstraints(field.constraints, `${path}/constraints`, issues);
    if (names.has(field.name)) issues.add(path, 'The field is stated twice', 'each name once');
    names.add(field.name);
  });
  const write = isRecord(plan.write) ? plan.write : {};
  refuseQuoting(write, issues);
}

/** What a reader could not take apart again. */
function refuseQuoting(write: Readonly<Record<string, unknown>>, issues: IssueList): void {
  const { delim = ',', quote = '"', nullstr = '' } = write;
  const [mark, text] = [String(quote), String(nullstr)];
  if (!/^[\x21-\x7e]$/.test(mark)) {
    issues.add('/write/quote', 'A quote is one visible ASCII character', 'such as "\'"');
  } else if (/[\r\n]/.test(String(delim)) || String(delim).includes(mark)) {
    issues.add('/write/delim', 'A delimiter has no quote and no line end', 'such as "," or "\\t"');
  } else if (/[\r\n]/.test(text) || text.includes(mark) || text.includes(String(delim))) {
    const message = 'A text for NULL has no delimiter, no quote and no line end';
    issues.add('/write/nullstr', message, 'such as "NA"');
  }
}

function refuseConstraints(constraints: unknown, path: string, issues: IssueList): void {
  if (!isRecord(constraints)) return;
  const bounds = [constraints.minimum, constraints.maximum, ...listOf(constraints.enum)];
  if (bounds.some((value) => typeof value === 'object')) {
    issues.add(path, 'A bound is not a value', 'a text, a number or a boolean');
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
