import { uniqueColumnNames } from '../../dialect/column-names.ts';
import type { Expression } from '../expression/ast.ts';
import { expressionError } from '../expression/lexer.ts';
import { LIMITS } from '../../limits.ts';
import { suggestion } from '../suggest.ts';
import type { Alias, Resolver } from './resolver.ts';
import type { Scope, ScopeColumn } from './scope.ts';
import type { SelectItem } from './statement.ts';

/** A column that a SELECT puts out. */
export interface Output {
  /** Told apart from those before it. */
  readonly name: string;
  /** As given, perhaps to several. */
  readonly label: string;
  readonly expression: Expression;
  readonly at: number;
}

export interface OutputList {
  /** Whether what `*` stands for is not known. */
  readonly isPartial: boolean;
  readonly outputs: readonly Output[];
  readonly aliases: readonly Alias[];
}

type Star = Extract<SelectItem, { kind: 'star' }>;

/** Looks up the select list: stars become columns, an item may name the aliases before it. */
export function resolveItems(
  items: readonly SelectItem[],
  scope: Scope,
  resolver: Resolver,
): OutputList {
  const outputs: Omit<Output, 'name'>[] = [];
  const aliases: Alias[] = [];
  const add = (label: string, expression: Expression, at: number): void => {
    if (outputs.length >= LIMITS.columnCountMax) {
      const expected = `at most ${String(LIMITS.columnCountMax)} columns`;
      throw expressionError('The statement puts out too many columns', at, expected);
    }
    outputs.push({ label, expression, at });
  };
  for (const item of items) {
    const rules = { clause: 'SELECT', aggregates: true, aliases };
    if (item.kind === 'star') {
      for (const [label, expression] of expand(item, scope, (node) =>
        resolver.resolve(node, { ...rules, aliases: [] }),
      )) {
        add(label, expression, item.at);
      }
      continue;
    }
    const { expression: written, alias, text, at } = item;
    const expression = resolver.resolve(written, rules);
    const own = written.kind === 'column' ? scope.labelOf(written) : null;
    add(alias ?? own ?? text, expression, at);
    if (alias !== null) aliases.push({ name: alias, expression });
  }
  const hasStar = items.some(({ kind }) => kind === 'star');
  const names = uniqueColumnNames(outputs.map(({ label }) => label));
  return {
    isPartial: hasStar && scope.columns === null,
    outputs: outputs.map((output, i) => ({ ...output, name: names[i] ?? output.label })),
    aliases,
  };
}

function* expand(
  star: Star,
  scope: Scope,
  resolve: (node: Expression) => Expression,
): Generator<[label: string, expression: Expression]> {
  const columns = scope.of(star.table, star.at);
  const excluded = new Set(star.exclude.map((entry) => position(entry, columns, scope)));
  const replaced = new Map(
    star.replace.map((entry) => [position(entry, columns, scope), entry] as const),
  );
  const renamed = new Map(
    star.rename.map((entry) => [position(entry, columns, scope), entry] as const),
  );
  if (scope.columns !== null && excluded.size === columns.length) {
    throw expressionError('No column is left', star.at, 'at least one column');
  }
  for (const column of columns) {
    if (excluded.has(column)) continue;
    const replacement = replaced.get(column);
    if (replacement !== undefined) {
      yield [replacement.name, resolve(replacement.expression)];
    } else {
      const own: Expression = { kind: 'column', name: column.column, at: star.at };
      yield [renamed.get(column)?.to ?? column.name, own];
    }
  }
}

/** The column that EXCLUDE, REPLACE or RENAME names. */
function position(
  { name, at }: { readonly name: string; readonly at: number },
  columns: readonly ScopeColumn[],
  scope: Scope,
): ScopeColumn | null {
  if (scope.columns === null) return null;
  const folded = name.toLowerCase();
  const found =
    columns.find((column) => column.name === name) ??
    columns.find((column) => column.name.toLowerCase() === folded);
  if (found !== undefined) return found;
  const names = columns.map((column) => column.name);
  const hint = suggestion(name, names);
  const shown = names.slice(0, 20).join(', ');
  const message = `There is no column ${JSON.stringify(name)} in *.${hint}`;
  throw expressionError(message, at, `one of ${shown}${names.length > 20 ? ', ...' : ''}`);
}
