import type { ColumnType } from '../../protocol/job.ts';

/**
 * Expressions as plain JSON, as parsed: names are not yet bound to columns. `at` is the offset of the
 * node's first character, or of its operator, in the expression's text, in UTF-16 units.
 */
export type Expression =
  | {
      readonly kind: 'column';
      readonly name: string;
      /** The table that a statement names before a dot; there is none in a step. */
      readonly table?: string;
      readonly at: number;
    }
  /** A column's text as it stands in the input, whatever its type. Steps use it; it has no syntax. */
  | { readonly kind: 'cell'; readonly name: string; readonly at: number }
  | Literal
  | Interval
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
      readonly kind: 'is-truth';
      readonly operand: Expression;
      readonly value: boolean;
      readonly at: number;
    }
  | {
      readonly kind: 'distinct';
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
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
      /** One character of ASCII, or '' for none. */
      readonly escape: string;
      readonly at: number;
    }
  | { readonly kind: 'negate'; readonly operand: Expression; readonly at: number }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      readonly at: number;
    }
  | CaseExpression
  | {
      readonly kind: 'cast';
      readonly operand: Expression;
      readonly type: ColumnType | DecimalType;
      readonly isTry: boolean;
      readonly at: number;
    };

/** DECIMAL(precision, scale): so many digits, and how many of them stand behind the point. */
export interface DecimalType {
  readonly precision: number;
  readonly scale: number;
}

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '^' | '||';

/** With an operand each `when` is a value that it is compared with, else a condition. */
export interface CaseExpression {
  readonly kind: 'case';
  readonly operand: Expression | null;
  readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
  readonly otherwise: Expression | null;
  readonly at: number;
}

/** `text` holds numbers as written and times as given; int64 and decimals lose no digit. */
export interface Literal {
  readonly kind: 'literal';
  readonly type:
    'integer' | 'decimal' | 'double' | 'string' | 'boolean' | 'null' | 'date' | 'datetime';
  readonly text: string;
  readonly at: number;
}

/** A span of time: months are not days, and days here are 24 hours. */
export interface Interval {
  readonly kind: 'interval';
  readonly months: number;
  readonly micros: number;
  readonly at: number;
}
