/**
 * Expressions as plain JSON, as parsed: names are not yet bound to columns. `at` is the offset of the
 * node's first character in the expression's text, in UTF-16 units.
 */
export type Expression =
  | { readonly kind: 'column'; readonly name: string; readonly at: number }
  | Literal
  | {
      readonly kind: 'compare';
      readonly operator: ComparisonOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Expression[]; readonly at: number }
  | { readonly kind: 'not'; readonly operand: Expression; readonly at: number }
  | { readonly kind: 'is-null'; readonly operand: Expression; readonly at: number }
  | {
      readonly kind: 'in';
      readonly operand: Expression;
      readonly values: readonly Expression[];
      readonly at: number;
    }
  | {
      readonly kind: 'between';
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly at: number;
    }
  | {
      readonly kind: 'like';
      readonly operand: Expression;
      readonly pattern: Expression;
      readonly ignoreCase: boolean;
      readonly at: number;
    };

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** `text` holds numbers as written and times as given; int64 and decimals lose no digit. */
export interface Literal {
  readonly kind: 'literal';
  readonly type:
    'integer' | 'decimal' | 'double' | 'string' | 'boolean' | 'null' | 'date' | 'datetime';
  readonly text: string;
  readonly at: number;
}
