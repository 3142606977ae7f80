/** A test of one column: what every subject can be asked in its own words. */
export type Condition =
  | { readonly column: string; readonly op: '>' | '>='; readonly value: number }
  | { readonly column: string; readonly op: 'in'; readonly values: readonly string[] };

/** All conditions as SQL. */
export function asSql(conditions: readonly Condition[]): string {
  const one = (condition: Condition): string => {
    const { column, op } = condition;
    if (op !== 'in') return `${column} ${op} ${condition.value}`;
    return `${column} IN (${condition.values.map((value) => `'${value}'`).join(', ')})`;
  };
  return conditions.map(one).join(' AND ');
}

/** Whether a record meets all of them, by its cells' texts. */
export function meets(conditions: readonly Condition[], cell: (column: string) => string): boolean {
  return conditions.every((condition) => {
    const text = cell(condition.column);
    if (condition.op === 'in') return condition.values.includes(text);
    return condition.op === '>' ? Number(text) > condition.value : Number(text) >= condition.value;
  });
}
