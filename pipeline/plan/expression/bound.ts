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

export type ScalarOperand =
  | { readonly kind: 'load'; readonly load: number }
  | { readonly kind: 'value'; readonly value: BoundValue }
  | ScalarLiteral;

/**
 * A value that is computed. A date and a datetime are microseconds, a boolean is 0 or 1; an integer
 * stands for a number and a date for a datetime as they are.
 */
export type BoundValue =
  | { readonly kind: 'text'; readonly column: number; readonly type: 'string' }
  | { readonly kind: 'load'; readonly load: number; readonly type: ColumnType }
  | { readonly kind: 'constant'; readonly type: ColumnType; readonly value: ConstantValue }
  | {
      readonly kind: 'call';
      /** Name and parameters of a signature, see `functions.ts`. */
      readonly signature: string;
      readonly args: readonly BoundValue[];
      readonly type: ColumnType;
      /** Called with NULL arguments too. */
      readonly takesNull: boolean;
    }
  | {
      readonly kind: 'case';
      readonly shared: SharedValue | null;
      readonly branches: readonly { readonly when: Condition; readonly then: BoundValue }[];
      readonly otherwise: BoundValue | null;
      readonly type: ColumnType;
    }
  | {
      readonly kind: 'cast';
      readonly operand: BoundValue;
      readonly type: ColumnType;
      /** What does not cast is NULL instead of a fault. */
      readonly isTry: boolean;
    }
  | { readonly kind: 'condition'; readonly condition: Condition; readonly type: 'boolean' }
  | SharedValue;

export type ConstantValue = number | bigint | string | null;

/** Computed once by the node that holds it, and read in several places below. */
export interface SharedValue {
  readonly kind: 'shared';
  readonly value: BoundValue;
  readonly type: ColumnType;
}

/** The nearest double, and the exact value as the whole number below it and what is above that. */
export interface ScalarLiteral {
  readonly kind: 'scalar';
  readonly value: number;
  readonly whole: bigint;
  readonly hasFraction: boolean;
}

export type TextOperand =
  | { readonly kind: 'field'; readonly column: number }
  | { readonly kind: 'value'; readonly value: BoundValue }
  | { readonly kind: 'text'; readonly bytes: Uint8Array };

/** Orders that make a comparison true. */
export const Order = { less: 1, equal: 2, greater: 4 } as const;

export type Condition =
  | { readonly kind: 'constant'; readonly value: TruthValue }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Condition[] }
  | { readonly kind: 'not'; readonly operand: Condition }
  | { readonly kind: 'unknown'; readonly operand: Condition }
  | { readonly kind: 'is-truth'; readonly operand: Condition; readonly value: boolean }
  | { readonly kind: 'null-field'; readonly column: number }
  | { readonly kind: 'null-value'; readonly value: BoundValue }
  | { readonly kind: 'truth-value'; readonly value: BoundValue }
  | { readonly kind: 'shared'; readonly shared: SharedValue; readonly operand: Condition }
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
      readonly operand: TextOperand;
      readonly values: readonly Uint8Array[];
      /** Whether NULL is among the values. */
      readonly hasNull: boolean;
    }
  | {
      readonly kind: 'like';
      readonly operand: TextOperand;
      readonly pattern: string;
      readonly ignoreCase: boolean;
      /** One character of ASCII, or '' for none. */
      readonly escape: string;
    };

/** SQL's three truth values; NULL is `unknown`. */
export const Truth = { no: 0, yes: 1, unknown: 2 } as const;
export type TruthValue = (typeof Truth)[keyof typeof Truth];

export interface BoundExpression {
  readonly value: BoundValue;
  readonly loads: readonly Load[];
}

export interface BoundCondition {
  readonly condition: Condition;
  /** Typed values that are read of each record before the condition is evaluated. */
  readonly loads: readonly Load[];
}
