import type { Column, ColumnType } from '../protocol/job.ts';
import type { Expression } from './expression/ast.ts';
import type { LookupContent } from './lookup.ts';

/** An expression as written and as parsed. */
export interface ExpressionPlan {
  readonly text: string;
  readonly ast: Expression;
}

export type MeasureFunction =
  | ('count' | 'sum' | 'min' | 'max' | 'avg' | 'stddev_samp' | 'stddev_pop' | 'var_samp')
  | ('var_pop' | 'quantile_cont' | 'quantile_disc' | 'approx_quantile' | 'mode' | 'first' | 'last')
  | ('any_value' | 'string_agg' | 'approx_count_distinct');

/** What a measure says beside its function and its value; left out where it says nothing. */
export interface MeasureOptions {
  /** Each different value counts once. */
  readonly distinct?: true;
  /** Share of a quantile, from 0 to 1; separator of string_agg. */
  readonly parameter?: number | string;
}

/** A direction of ORDER BY. */
export interface Ordering {
  readonly desc: boolean;
  readonly nulls: 'first' | 'last';
}

/** One output column of an aggregate. */
export interface Measure extends MeasureOptions {
  readonly name: string;
  readonly function: MeasureFunction;
  /** Null for `count(*)`. */
  readonly column: string | null;
  readonly order?: readonly (Ordering & { readonly column: string })[];
  /** Column of FILTER, of the functions that count NULL; the others have it in their value. */
  readonly filter?: string;
}

/** A measure as written: not yet bound to columns. */
export interface MeasurePlan extends MeasureOptions {
  readonly name: string;
  readonly text: string;
  readonly function: MeasureFunction | 'bool_and' | 'bool_or';
  /** Null for `count(*)`. */
  readonly argument: Expression | null;
  readonly order?: readonly (Ordering & { readonly expression: Expression })[];
  /** Of FILTER (WHERE ...). */
  readonly filter: Expression | null;
}

/** Of which step of the plan something comes, from 1; nothing for what comes of `schema`. Rejects
 *  say it. */
export interface Numbered {
  readonly number?: number;
}

/** What a chunk program does, in order. Column names are as the step's input has them. */
export type Step = Numbered & Work;

/** 'conform' holds columns to the types that `schema` states; it is no step of the language. */
type Work =
  | { readonly kind: 'conform'; readonly columns: readonly string[] }
  | { readonly kind: 'select'; readonly columns: readonly string[] }
  | { readonly kind: 'drop'; readonly columns: readonly string[] }
  | {
      readonly kind: 'rename';
      readonly names: readonly { readonly from: string; readonly to: string }[];
    }
  | { readonly kind: 'filter'; readonly expression: ExpressionPlan }
  | {
      /** Computes a column, which takes the place of one of the same name or comes last. */
      readonly kind: 'derive';
      readonly name: string;
      readonly type: ColumnType;
      /** Whether it is held as text; of other types it is then the text of a value. */
      readonly isText: boolean;
      readonly expression: ExpressionPlan;
    }
  | {
      /** Rejects the records for which the expression is false, or counts them. */
      readonly kind: 'check';
      readonly expression: ExpressionPlan;
      /** Column that is to blame, null for the record. */
      readonly column: string | null;
      readonly message: string;
      /** Of a check that counts: its number among those of the plan. */
      readonly warning?: number;
    }
  | { readonly kind: 'sample'; readonly fraction: number; readonly seed: number }
  | {
      readonly kind: 'aggregate';
      readonly by: readonly string[];
      readonly measures: readonly Measure[];
    }
  | {
      readonly kind: 'profile';
      readonly columns: readonly string[];
      /** Frequent values, deviation, quantiles and histogram too. */
      readonly detail?: true;
    }
  | {
      /** Meets each record with the lookup's records of equal keys. */
      readonly kind: 'join';
      readonly how: JoinKind;
      readonly lookup: LookupContent;
      /** Texts of the lookup that stand for NULL, whatever those of the records it meets are. */
      readonly nullstr: readonly string[];
      readonly on: readonly JoinKey[];
      /** Columns that the lookup adds behind the others; none for 'semi' and 'anti'. */
      readonly adds: readonly AddedColumn[];
    }
  | {
      /** The end of a join whose matches the wave before found. First of its wave's steps. */
      readonly kind: 'match';
      readonly how: JoinKind;
      readonly adds: readonly AddedColumn[];
    };

/** A column of a lookup, and what it becomes in a joined record. */
export interface AddedColumn {
  readonly lookupColumn: string;
  readonly column: Column;
}

/** Of the records without a match, 'inner' and 'semi' keep none and 'left' all; 'anti' keeps no
 *  others. 'semi' and 'anti' keep a record as it is, once. */
export type JoinKind = 'inner' | 'left' | 'semi' | 'anti';

export interface JoinKey {
  readonly column: string;
  readonly lookupColumn: string;
  /** The type in which the two are compared. */
  readonly type: ColumnType;
}

/** A step of the language as read from a plan, normalised: compiles to `Step`s. No column at all
 *  stands for every column where `"*"` may be written. */
export type PlanStep =
  | Extract<Work, { kind: 'select' | 'drop' | 'rename' | 'filter' | 'profile' | 'sample' }>
  | { readonly kind: 'reorder'; readonly columns: readonly string[] }
  | { readonly kind: 'trim'; readonly columns: readonly string[] }
  | {
      readonly kind: 'case';
      readonly columns: readonly string[];
      readonly to: 'lower' | 'upper' | 'title';
    }
  | {
      readonly kind: 'replace';
      readonly columns: readonly string[];
      readonly find: string;
      readonly with: string;
      /** Whether `find` is a regular expression, and `with` may name its groups. */
      readonly isRegex: boolean;
    }
  | { readonly kind: 'fill_null'; readonly values: readonly NamedText[] }
  | {
      readonly kind: 'map_values';
      readonly maps: readonly { readonly name: string; readonly values: readonly NamedText[] }[];
    }
  | {
      readonly kind: 'cast';
      readonly types: readonly { readonly name: string; readonly type: ColumnType }[];
    }
  | {
      readonly kind: 'derive';
      readonly columns: readonly { readonly name: string; readonly expression: ExpressionPlan }[];
    }
  | {
      /** These columns and no others: computed from what was there before, or columns as they are. */
      readonly kind: 'project';
      readonly columns: readonly { readonly name: string; readonly expression: ExpressionPlan }[];
    }
  | {
      readonly kind: 'split';
      readonly column: string;
      readonly by: string;
      readonly into: readonly string[];
    }
  | {
      readonly kind: 'merge';
      readonly columns: readonly string[];
      readonly with: string;
      readonly into: string;
    }
  | { readonly kind: 'parse_date'; readonly column: string; readonly format: string }
  | {
      readonly kind: 'hash';
      readonly columns: readonly string[];
      readonly algorithm: 'md5' | 'sha256';
    }
  | { readonly kind: 'mask'; readonly columns: readonly string[]; readonly keep: number }
  | {
      readonly kind: 'check';
      readonly expression: ExpressionPlan;
      readonly name: string;
      readonly severity: 'reject' | 'warn';
    }
  | {
      readonly kind: 'aggregate';
      readonly by: readonly GroupKey[];
      readonly measures: readonly MeasurePlan[];
    }
  | {
      readonly kind: 'join';
      /** Name of the lookup file. */
      readonly lookup: string;
      readonly on: readonly { readonly column: string; readonly lookupColumn: string }[];
      readonly how: JoinKind;
      /** Columns of the lookup to add; null for all but those of `on`. */
      readonly select: readonly string[] | null;
    }
  | { readonly kind: 'sort'; readonly keys: readonly SortKey[] }
  | { readonly kind: 'top_k'; readonly keys: readonly SortKey[]; readonly count: number }
  | {
      readonly kind: 'limit';
      /** Null for all records from `offset` on. */
      readonly count: number | null;
      readonly offset: number;
    }
  | {
      readonly kind: 'dedupe';
      /** No column stands for all. */
      readonly by: readonly string[];
      readonly keep: 'first' | 'last';
    }
  | { readonly kind: 'unique'; readonly columns: readonly string[] };

/** Steps that see all records, not one after another: they end a wave. */
export type GlobalStep = Extract<
  PlanStep,
  { kind: 'sort' | 'top_k' | 'limit' | 'dedupe' | 'unique' }
>;

/** A column to sort by, ascending unless `desc`. */
export interface SortKey {
  readonly column: string;
  readonly desc: boolean;
  readonly nulls: 'first' | 'last';
}

/** A column to group by, by its name, or computed. */
export interface GroupKey {
  readonly name: string;
  readonly expression: ExpressionPlan | null;
}

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

export type StepKind = PlanStep['kind'];

/** A step against the columns it gets: what to do, names made exact, and the columns it leaves. */
export interface Transformed {
  readonly steps: readonly Step[];
  readonly columns: readonly Column[];
}
