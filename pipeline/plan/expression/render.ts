import type { ColumnType } from '../../protocol/job.ts';
import type { DecimalType, Expression, Interval, Literal } from './ast.ts';
import { Power, RESERVED } from './precedence.ts';

/** Operators by how tight they bind; what is not listed needs no parentheses around it. */
const POWERS: Partial<Record<Expression['kind'], number>> = {
  ...{ or: Power.or, and: Power.and, not: Power.not, 'is-null': Power.is, 'is-truth': Power.is },
  ...{ distinct: Power.is, compare: Power.comparison, in: Power.predicate },
  ...{ between: Power.predicate, like: Power.predicate, negate: Power.sign },
};

const BINARY_POWERS = {
  ...{ '||': Power.concatenation, '+': Power.sum, '-': Power.sum, '*': Power.product },
  ...{ '/': Power.product, '//': Power.product, '%': Power.product, '^': Power.power },
} as const;

/** The text of an expression: parsed again it is the same, but for the places of its parts. */
export function renderExpression(node: Expression): string {
  return render(node, Power.none);
}

/** A column's name as it is written in an expression; what a plan adds for itself stands as text. */
export function renderName(name: string): string {
  const shown = name.replaceAll('\u0000', '');
  const isPlain = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name.toLowerCase());
  return isPlain ? shown : `"${shown.replaceAll('"', '""')}"`;
}

/** `least` is how tight the place binds: looser operators go into parentheses. */
function render(node: Expression, least: number): string {
  const power =
    node.kind === 'binary' ? BINARY_POWERS[node.operator] : (POWERS[node.kind] ?? Infinity);
  const text = renderNode(node, power);
  return power < least ? `(${text})` : text;
}

function renderNode(node: Expression, power: number): string {
  const above = power + 1;
  switch (node.kind) {
    case 'column':
      return `${node.table === undefined ? '' : `${renderName(node.table)}.`}${renderName(node.name)}`;
    case 'cell':
      return renderName(node.name);
    case 'literal':
      return renderLiteral(node);
    case 'interval':
      return renderInterval(node);
    case 'or':
    case 'and':
      return node.operands
        .map((operand) => render(operand, above))
        .join(` ${node.kind.toUpperCase()} `);
    case 'not':
      return renderPredicate(node.operand, 'NOT ') ?? `NOT ${render(node.operand, above)}`;
    case 'compare':
      return `${render(node.left, above)} ${node.operator} ${render(node.right, above)}`;
    case 'binary':
      return `${render(node.left, power)} ${node.operator} ${render(node.right, above)}`;
    case 'negate':
      return renderNegated(node.operand);
    case 'call':
      return renderCall(node);
    case 'case':
      return renderCase(node);
    case 'cast': {
      const name = node.isTry ? 'TRY_CAST' : 'CAST';
      return `${name}(${renderExpression(node.operand)} AS ${renderType(node.type)})`;
    }
    default:
      return renderPredicate(node, '') ?? '';
  }
}

/** Predicates, which take their NOT inside; null for what is none. */
function renderPredicate(node: Expression, not: string): string | null {
  const power = POWERS[node.kind] ?? Infinity;
  const above = power + 1;
  switch (node.kind) {
    case 'is-null':
      return `${render(node.operand, power)} IS ${not}NULL`;
    case 'is-truth':
      return `${render(node.operand, power)} IS ${not}${String(node.value).toUpperCase()}`;
    case 'distinct':
      return `${render(node.left, power)} IS ${not}DISTINCT FROM ${render(node.right, above)}`;
    case 'in': {
      const values = node.values.map((value) => renderExpression(value)).join(', ');
      return `${render(node.operand, power)} ${not}IN (${values})`;
    }
    case 'between': {
      const bounds = `${render(node.low, above)} AND ${render(node.high, above)}`;
      return `${render(node.operand, power)} ${not}BETWEEN ${bounds}`;
    }
    case 'like': {
      const name = node.ignoreCase ? 'ILIKE' : 'LIKE';
      const escape = node.escape === '' ? '' : ` ESCAPE ${quoted(node.escape)}`;
      return `${render(node.operand, power)} ${not}${name} ${render(node.pattern, above)}${escape}`;
    }
    default:
      return null;
  }
}

/** Two signs would start a comment, and the sign of a number is part of it. */
function renderNegated(operand: Expression): string {
  const isSigned = operand.kind === 'negate' || operand.kind === 'literal';
  return isSigned ? `-(${renderExpression(operand)})` : `-${render(operand, Power.sign)}`;
}

function renderCall({ name, args }: Extract<Expression, { kind: 'call' }>): string {
  if (name === 'position') {
    const parts = args.map((arg) => render(arg, Power.predicate + 1)).reverse();
    return `position(${parts.join(' IN ')})`;
  }
  return `${name}(${args.map((arg) => renderExpression(arg)).join(', ')})`;
}

function renderCase({
  operand,
  branches,
  otherwise,
}: Extract<Expression, { kind: 'case' }>): string {
  const parts = ['CASE'];
  if (operand !== null) parts.push(renderExpression(operand));
  for (const { when, then } of branches) {
    parts.push(`WHEN ${renderExpression(when)} THEN ${renderExpression(then)}`);
  }
  if (otherwise !== null) parts.push(`ELSE ${renderExpression(otherwise)}`);
  return [...parts, 'END'].join(' ');
}

function renderType(type: ColumnType | DecimalType): string {
  if (typeof type === 'string') return type;
  return `DECIMAL(${String(type.precision)}, ${String(type.scale)})`;
}

function renderLiteral({ type, text }: Literal): string {
  switch (type) {
    case 'string':
      return quoted(text);
    case 'date':
      return `DATE ${quoted(text)}`;
    case 'datetime':
      return `TIMESTAMP ${quoted(text)}`;
    case 'null':
      return 'NULL';
    default:
      return text;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const SECOND_MICROS = 1_000_000;
const DAY_MICROS = 86_400 * SECOND_MICROS;

function renderInterval({ months, micros }: Interval): string {
  const days = Math.trunc(micros / DAY_MICROS);
  const seconds = (micros % DAY_MICROS) / SECOND_MICROS;
  const counts = [
    [months, 'month'],
    [days, 'day'],
    [seconds, 'second'],
  ] as const;
  const parts = counts.filter(([count]) => count !== 0).map(([count, unit]) => `${count} ${unit}`);
  return `INTERVAL '${parts.length === 0 ? '0 day' : parts.join(' ')}'`;
}
