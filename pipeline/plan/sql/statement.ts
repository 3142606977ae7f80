import type { Expression } from '../expression/ast.ts';
import type { MeasurePlan } from '../step.ts';

/**
 * A SELECT statement as parsed: plain JSON, names not yet looked up. `at` is the offset of a part in
 * the statement's text, in UTF-16 units. An aggregate stands in an expression as a column whose name
 * is that of the measure, which is no name that a header has.
 */
export interface Query {
  readonly ctes: readonly CommonTable[];
  readonly isDistinct: boolean;
  /** Of DISTINCT ON; none without. */
  readonly distinctOn: readonly Expression[];
  /** One `*` where the statement has no SELECT. */
  readonly items: readonly SelectItem[];
  readonly from: Relation;
  readonly joins: readonly Join[];
  readonly where: Expression | null;
  /** 'all' of GROUP BY ALL; null without GROUP BY. */
  readonly groupBy: readonly Expression[] | 'all' | null;
  readonly having: Expression | null;
  readonly orderBy: readonly OrderKey[];
  /** Null is no limit. */
  readonly limit: number | null;
  readonly offset: number;
  readonly measures: readonly QueryMeasure[];
  readonly at: number;
  readonly limitAt: number;
}

export interface CommonTable {
  readonly name: string;
  /** Names for its columns, the first ones; none keeps them. */
  readonly columns: readonly string[];
  readonly query: Query;
  readonly at: number;
}

export type SelectItem =
  | {
      readonly kind: 'expression';
      readonly expression: Expression;
      readonly alias: string | null;
      /** As written. */
      readonly text: string;
      readonly at: number;
    }
  | {
      readonly kind: 'star';
      /** Of `table.*`. */
      readonly table: string | null;
      readonly exclude: readonly Named[];
      readonly replace: readonly (Named & { readonly expression: Expression })[];
      readonly rename: readonly (Named & { readonly to: string })[];
      readonly at: number;
    };

export interface Named {
  readonly name: string;
  readonly at: number;
}

export type Relation =
  | {
      readonly kind: 'table';
      readonly name: string;
      readonly alias: string | null;
      readonly columns: readonly string[];
      readonly at: number;
    }
  | {
      readonly kind: 'subquery';
      readonly query: Query;
      readonly alias: string | null;
      readonly columns: readonly string[];
      readonly at: number;
    };

export interface Join {
  readonly how: 'inner' | 'left' | 'semi' | 'anti';
  /** The lookup file's name as written. */
  readonly lookup: string;
  readonly alias: string | null;
  /** Null with `using`. */
  readonly on: Expression | null;
  readonly using: readonly Named[];
  readonly at: number;
}

export interface OrderKey {
  /** Null is every column, of ORDER BY ALL. */
  readonly expression: Expression | null;
  readonly desc: boolean;
  readonly nulls: 'first' | 'last';
  readonly at: number;
}

export interface QueryMeasure {
  /** Stands for the aggregate in expressions. */
  readonly name: string;
  readonly plan: MeasurePlan;
  readonly at: number;
}

/** A statement and what it was read from. */
export interface SqlPlan {
  readonly text: string;
  readonly query: Query;
}
