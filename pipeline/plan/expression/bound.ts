import type { ColumnType } from '../../protocol/job.ts';

/**
 * Expressions after binding: columns are positions, literals are values, types are checked. What an
 * evaluator needs and nothing else.
 */

/** How a column's text becomes a value that is compared as a double. Times are microseconds. */
export interface Load {
  readonly column: number;
  readonly as: Exclude<ColumnType, 'string'>;
}

export type ScalarOperand = { readonly kind: 'load'; readonly load: number } | ScalarLiteral;

/** The nearest double, and the exact value as the whole number below it and what is above that. */
export interface ScalarLiteral {
  readonly kind: 'scalar';
  readonly value: number;
  readonly whole: bigint;
  readonly hasFraction: boolean;
}

export type TextOperand =
  | { readonly kind: 'field'; readonly column: number }
  | { readonly kind: 'text'; readonly bytes: Uint8Array };

/** Orders that make a comparison true. */
export const Order = { less: 1, equal: 2, greater: 4 } as const;

export type Condition =
  | { readonly kind: 'constant'; readonly value: TruthValue }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Condition[] }
  | { readonly kind: 'not'; readonly operand: Condition }
  | { readonly kind: 'unknown'; readonly operand: Condition }
  | { readonly kind: 'null-field'; readonly column: number }
  | {
      readonly kind: 'compare-scalar';
      /** Union of `Order` bits. */
      readonly orders: number;
      readonly left: ScalarOperand;
      readonly right: ScalarOperand;
      /** Whether values that share a double are told apart; doubles themselves are not. */
      readonly exact: boolean;
    }
  | {
      readonly kind: 'compare-text';
      readonly orders: number;
      readonly left: TextOperand;
      readonly right: TextOperand;
    }
  | {
      readonly kind: 'text-in';
      readonly column: number;
      readonly values: readonly Uint8Array[];
      /** Whether NULL is among the values. */
      readonly hasNull: boolean;
    }
  | {
      readonly kind: 'like';
      readonly column: number;
      readonly pattern: string;
      readonly ignoreCase: boolean;
    };

/** SQL's three truth values; NULL is `unknown`. */
export const Truth = { no: 0, yes: 1, unknown: 2 } as const;
export type TruthValue = (typeof Truth)[keyof typeof Truth];

export interface BoundCondition {
  readonly condition: Condition;
  /** Typed values that are read of each record before the condition is evaluated. */
  readonly loads: readonly Load[];
}
