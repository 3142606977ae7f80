import type { Column } from '../protocol/job.ts';
import { findColumn } from './columns.ts';
import type { Expression, Literal } from './expression/ast.ts';
import { bindCondition } from './expression/bind.ts';
import { pointerTo, type IssueList } from './issues.ts';
import type { DeclaredField } from './schema.ts';
import type { Step } from './step.ts';

/** Checks for the constraints that a plan states of its fields (Data Package v2 Table Schema). */
export function constraintSteps(
  fields: readonly DeclaredField[],
  columns: readonly Column[],
  issues: IssueList,
): Step[] {
  return fields.flatMap((field, index) => {
    const found = findColumn(columns, field.name);
    if (!('position' in found)) return [];
    const name = columns[found.position]?.name ?? field.name;
    const path = `${pointerTo('/schema/fields', index)}/constraints`;
    return constraintsOf(field, name).flatMap(({ key, ast, says }) => {
      try {
        bindCondition(ast, columns);
      } catch (thrown) {
        issues.addExpression(pointerTo(path, key), key, thrown);
        return [];
      }
      const message = `Column ${JSON.stringify(name)} ${says}`;
      return [{ kind: 'check', expression: { text: key, ast }, column: name, message } as const];
    });
  });
}

interface Constraint {
  readonly key: string;
  readonly ast: Expression;
  readonly says: string;
}

function constraintsOf({ type, constraints }: DeclaredField, name: string): Constraint[] {
  const column: Expression = { kind: 'column', name, at: 0 };
  const cell: Expression = { kind: 'cell', name, at: 0 };
  const length: Expression = { kind: 'call', name: 'length', args: [cell], at: 0 };
  const { required, minimum, maximum, minLength, maxLength } = constraints;
  const result: Constraint[] = [];
  if (required === true) {
    const operand: Expression = { kind: 'is-null', operand: column, at: 0 };
    result.push({ key: 'required', ast: { kind: 'not', operand, at: 0 }, says: 'needs a value' });
  }
  const bound = (
    key: string,
    left: Expression,
    operator: '>=' | '<=',
    right: Literal,
    says: string,
  ): void => {
    const ast: Expression = { kind: 'compare', operator, left, right, at: 0 };
    result.push({ key, ast, says: `${says} ${right.text}` });
  };
  if (minimum !== undefined) bound('minimum', column, '>=', literal(minimum), 'is less than');
  if (maximum !== undefined) bound('maximum', column, '<=', literal(maximum), 'is more than');
  if (minLength !== undefined) {
    bound('minLength', length, '>=', count(minLength), 'has a length below');
  }
  if (maxLength !== undefined) {
    bound('maxLength', length, '<=', count(maxLength), 'has a length above');
  }
  if (constraints.pattern !== undefined) {
    const args = [cell, literal(constraints.pattern)];
    const ast: Expression = { kind: 'call', name: 'regexp_full_match', args, at: 0 };
    result.push({ key: 'pattern', ast, says: 'does not match the pattern' });
  }
  if (constraints.enum !== undefined && constraints.enum.length > 0) {
    const values = constraints.enum.map(literal);
    const operand = type === 'string' ? cell : column;
    result.push({
      key: 'enum',
      ast: { kind: 'in', operand, values, at: 0 },
      says: 'is none of the values',
    });
  }
  return result;
}

function literal(text: string): Literal {
  return { kind: 'literal', type: 'string', text, at: 0 };
}

function count(value: number): Literal {
  return { kind: 'literal', type: 'integer', text: String(value), at: 0 };
}
