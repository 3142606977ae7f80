import { Type, type Static } from 'typebox';
import type { Notation } from '../values/notation.ts';
import type { SqlPlan } from './sql/statement.ts';
import type { PlanStep } from './step.ts';

/**
 * The plan file: its whole schema, and its normalised form with every default filled in. Steps that
 * are not built yet have their place in the schema and are refused by name when a plan is parsed.
 */

const closed = { additionalProperties: false } as const;
const Name = Type.String({ minLength: 1, description: 'a column name' });
const Names = Type.Array(Name, { minItems: 1, description: 'a list of column names' });
const NamesOrAll = Type.Union([Type.Literal('*'), Names], {
  description: '"*" or a list of column names',
});
const ExpressionText = Type.String({ minLength: 1, description: 'an SQL expression' });
const AutoOrText = Type.String({ description: '"auto" or a text' });
const Count = Type.Integer({ minimum: 0, description: 'a whole number, 0 or more' });

function oneOf<const Values extends readonly string[]>(...values: Values) {
  return Type.Union(
    values.map((value) => Type.Literal(value as Values[number])),
    { description: `one of ${values.join(', ')}` },
  );
}

function textByName(value: string) {
  return Type.Record(Type.String(), Type.String({ minLength: 1 }), {
    description: `a map of column name to ${value}`,
  });
}

const OnError = oneOf('reject', 'null', 'fail');

export const ReadSection = Type.Object(
  {
    format: Type.Optional(oneOf('auto', 'csv', 'ndjson', 'json')),
    delim: Type.Optional(AutoOrText),
    quote: Type.Optional(AutoOrText),
    escape: Type.Optional(AutoOrText),
    newline: Type.Optional(AutoOrText),
    header: Type.Optional(
      Type.Union([Type.Literal('auto'), Type.Boolean()], { description: 'auto, true or false' }),
    ),
    skip: Type.Optional(Count),
    comment: Type.Optional(Type.String({ description: 'a text, "" for none' })),
    nullstr: Type.Optional(
      Type.Union([Type.Array(Type.String()), Type.String()], {
        description: 'a list of texts that stand for NULL',
      }),
    ),
    encoding: Type.Optional(Type.String({ minLength: 1, description: 'auto or an encoding' })),
    compression: Type.Optional(oneOf('auto', 'none', 'gzip', 'zstd', 'brotli', 'deflate', 'zip')),
    on_error: Type.Optional(OnError),
    null_padding: Type.Optional(Type.Boolean({ description: 'true or false' })),
  },
  closed,
);

const Constraints = Type.Object(
  {
    required: Type.Optional(Type.Boolean()),
    unique: Type.Optional(Type.Boolean()),
    minimum: Type.Optional(Type.Unknown()),
    maximum: Type.Optional(Type.Unknown()),
    minLength: Type.Optional(Count),
    maxLength: Type.Optional(Count),
    pattern: Type.Optional(Type.String()),
    enum: Type.Optional(Type.Array(Type.Unknown())),
  },
  closed,
);

const QuotedText = Type.String({ description: 'a text, such as "1"' });
const Texts = Type.Array(QuotedText, { minItems: 1, description: 'a list of texts' });

const SchemaField = Type.Object(
  {
    name: Name,
    type: Type.Optional(oneOf('string', 'integer', 'number', 'boolean', 'date', 'datetime')),
    format: Type.Optional(Type.String()),
    title: Type.Optional(Type.String()),
    description: Type.Optional(Type.String()),
    decimalChar: Type.Optional(Type.String({ description: 'one character' })),
    groupChar: Type.Optional(Type.String({ description: 'one character' })),
    trueValues: Type.Optional(Texts),
    falseValues: Type.Optional(Texts),
    constraints: Type.Optional(Constraints),
  },
  closed,
);

export type FieldFile = Static<typeof SchemaField>;

export const SchemaSection = Type.Object(
  { fields: Type.Optional(Type.Array(SchemaField, { description: 'a list of fields' })) },
  closed,
);

const SortKeyFile = Type.Union(
  [
    Name,
    Type.Object(
      {
        by: Name,
        desc: Type.Optional(Type.Boolean()),
        nulls: Type.Optional(oneOf('first', 'last')),
      },
      closed,
    ),
  ],
  { description: 'a column name or {by, desc, nulls}' },
);
const SortKeys = Type.Array(SortKeyFile, {
  minItems: 1,
  description: 'a list of sort keys such as [id] or [{by: id, desc: true}]',
});

const GROUP_KEY = 'a column name or {name: expression}';

/** Every step of the language by name, with what stands behind the name. */
export const STEP_SCHEMAS = {
  select: Names,
  drop: Names,
  rename: textByName('new name'),
  reorder: Names,
  trim: NamesOrAll,
  case: Type.Object(
    { columns: NamesOrAll, to: oneOf('lower', 'upper', 'title') },
    { ...closed, description: '{columns, to}' },
  ),
  replace: Type.Object(
    {
      columns: NamesOrAll,
      find: Type.String({ minLength: 1 }),
      with: Type.String(),
      regex: Type.Optional(Type.Boolean()),
    },
    { ...closed, description: '{columns, find, with, regex}' },
  ),
  fill_null: Type.Record(Type.String(), Type.Unknown(), {
    description: 'a map of column name to value',
  }),
  cast: textByName('type'),
  derive: textByName('expression'),
  project: textByName('expression'),
  filter: ExpressionText,
  map_values: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), {
    description: 'a map of column name to a map of value to value',
  }),
  split: Type.Object(
    { column: Name, by: Type.String({ minLength: 1 }), into: Names },
    { ...closed, description: '{column, by, into}' },
  ),
  merge: Type.Object(
    { columns: Names, with: Type.String(), into: Name },
    { ...closed, description: '{columns, with, into}' },
  ),
  parse_date: Type.Object(
    { column: Name, format: Type.String({ minLength: 1 }) },
    { ...closed, description: '{column, format}' },
  ),
  hash: Type.Object(
    { columns: Names, algorithm: Type.Optional(oneOf('md5', 'sha256')) },
    { ...closed, description: '{columns, algorithm}' },
  ),
  mask: Type.Object(
    { columns: Names, keep: Type.Optional(Count) },
    { ...closed, description: '{columns, keep}' },
  ),
  check: Type.Object(
    {
      expr: ExpressionText,
      name: Type.Optional(Type.String()),
      severity: Type.Optional(oneOf('reject', 'warn')),
    },
    { ...closed, description: '{expr, name, severity}' },
  ),
  sample: Type.Object(
    { fraction: Type.Number({ minimum: 0, maximum: 1 }), seed: Type.Optional(Count) },
    { ...closed, description: '{fraction, seed}' },
  ),
  limit: Type.Union(
    [Count, Type.Object({ count: Type.Optional(Count), offset: Type.Optional(Count) }, closed)],
    { description: 'a whole number, 0 or more, or {count, offset}' },
  ),
  dedupe: Type.Object(
    { by: Type.Optional(Names), keep: Type.Optional(oneOf('first', 'last')) },
    { ...closed, description: '{by, keep}' },
  ),
  unique: Names,
  join: Type.Object(
    {
      with: Type.String({ minLength: 1 }),
      on: textByName('column of the lookup'),
      how: Type.Optional(oneOf('inner', 'left', 'semi', 'anti')),
      select: Type.Optional(Names),
    },
    { ...closed, description: '{with, on, how, select}' },
  ),
  aggregate: Type.Object(
    {
      by: Type.Optional(
        Type.Array(Type.Union([Name, textByName('expression')], { description: GROUP_KEY }), {
          description: `a list, each ${GROUP_KEY}`,
        }),
      ),
      measures: textByName('aggregate function, such as "count(*)"'),
    },
    { ...closed, description: '{by, measures}' },
  ),
  profile: Type.Union(
    [
      ...NamesOrAll.anyOf,
      Type.Object(
        { columns: Type.Optional(NamesOrAll), detail: Type.Optional(Type.Boolean()) },
        closed,
      ),
    ],
    { description: '"*", a list of column names or {columns, detail}' },
  ),
  sort: SortKeys,
  top_k: Type.Object(
    { by: SortKeys, k: Type.Integer({ minimum: 1 }) },
    { ...closed, description: '{by, k}' },
  ),
} as const;

export type StepName = keyof typeof STEP_SCHEMAS;

export const WriteSection = Type.Object(
  {
    format: Type.Optional(oneOf('csv', 'ndjson', 'json', 'parquet')),
    delim: Type.Optional(Type.String({ minLength: 1, description: 'a delimiter' })),
    quote: Type.Optional(Type.String({ description: 'one character' })),
    quoting: Type.Optional(oneOf('minimal', 'all', 'nonnumeric')),
    newline: Type.Optional(oneOf('lf', 'crlf')),
    nullstr: Type.Optional(Type.String({ description: 'a text that stands for NULL' })),
    header: Type.Optional(Type.Boolean({ description: 'true or false' })),
    bom: Type.Optional(Type.Boolean({ description: 'true or false' })),
    escape_formulas: Type.Optional(Type.Boolean({ description: 'true or false' })),
  },
  closed,
);

export const LimitsSection = Type.Object(
  {
    max_rejects: Type.Optional(Count),
    max_reject_ratio: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'a number from 0 to 1' }),
    ),
  },
  closed,
);

/** The plan as people write it. `steps` holds objects of one key each, see `STEP_SCHEMAS`. */
export const PlanFile = Type.Object(
  {
    version: Type.Optional(Type.Literal(1, { description: '1' })),
    read: Type.Optional(ReadSection),
    schema: Type.Optional(SchemaSection),
    steps: Type.Optional(Type.Array(Type.Unknown(), { description: 'a list of steps' })),
    sql: Type.Optional(Type.String({ description: 'a SELECT statement' })),
    write: Type.Optional(WriteSection),
    limits: Type.Optional(LimitsSection),
  },
  { ...closed, description: 'a plan, an object such as {"steps": [...]}' },
);
export type PlanFile = Static<typeof PlanFile>;

/** 'record': chunk by chunk; 'mergeable': partials are merged; 'global': needs all records. */
export type StepScope = 'record' | 'mergeable' | 'global';

export const STEP_SCOPES: Readonly<Record<StepName, StepScope>> = {
  select: 'record',
  drop: 'record',
  rename: 'record',
  reorder: 'record',
  trim: 'record',
  case: 'record',
  replace: 'record',
  fill_null: 'record',
  cast: 'record',
  derive: 'record',
  project: 'record',
  filter: 'record',
  map_values: 'record',
  split: 'record',
  merge: 'record',
  parse_date: 'record',
  hash: 'record',
  mask: 'record',
  check: 'record',
  sample: 'record',
  limit: 'global',
  dedupe: 'global',
  unique: 'global',
  join: 'record',
  aggregate: 'mergeable',
  profile: 'mergeable',
  sort: 'global',
  top_k: 'global',
};

export type DeclaredType = 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'datetime';

/** A field that the plan states. Constraints hold for every value that is not NULL. */
export interface DeclaredField {
  readonly name: string;
  readonly type: DeclaredType;
  /** Left out where values are written plainly. */
  readonly notation?: Notation;
  readonly constraints: {
    readonly required?: boolean;
    readonly unique?: boolean;
    readonly minimum?: string;
    readonly maximum?: string;
    readonly minLength?: number;
    readonly maxLength?: number;
    /** A regular expression that the whole text matches. */
    readonly pattern?: string;
    readonly enum?: readonly string[];
  };
}

/** How the input is to be read, defaults filled in. 'auto' is left to sniffing. */
export interface ReadPlan {
  readonly format: 'auto' | 'csv' | 'ndjson' | 'json';
  readonly delim: string;
  readonly quote: string;
  readonly escape: string;
  readonly newline: string;
  readonly header: 'auto' | boolean;
  readonly skip: number;
  readonly comment: string;
  readonly nullstr: readonly string[];
  readonly encoding: string;
  readonly compression: 'auto' | 'none' | 'gzip' | 'zstd' | 'brotli' | 'deflate' | 'zip';
  readonly onError: 'reject' | 'null' | 'fail';
  readonly nullPadding: boolean;
}

export type ResultFormat = 'csv' | 'ndjson' | 'json' | 'parquet';

export interface WritePlan {
  readonly format: ResultFormat;
  readonly delim: string;
  readonly quote: string;
  readonly quoting: 'minimal' | 'all' | 'nonnumeric';
  readonly newline: '\n' | '\r\n';
  readonly nullstr: string | null;
  readonly header: boolean;
  readonly bom: boolean;
  readonly escapeFormulas: boolean;
}

/** Place in the plan's text, from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
  /** Set where a text's characters stand as they are: blanks before its second and later lines. */
  readonly indent?: number;
}

/** A plan that was read: valid in itself, not yet compiled against an input's columns. Plain JSON. */
export interface PlanDocument {
  readonly version: 1;
  readonly read: ReadPlan;
  /** Types stated by the plan. */
  readonly fields: readonly DeclaredField[];
  /** Null when the plan has no `steps`: the plain job. A profile of no named
   *  columns is one of all. */
  readonly steps: readonly PlanStep[] | null;
  /** The statement that stands in place of steps; null without. */
  readonly sql: SqlPlan | null;
  readonly write: WritePlan;
  readonly limits: { readonly maxRejects: number | null; readonly maxRejectRatio: number | null };
  /** Where each value stands in the text, as pairs of JSON pointer and place. Keys: see
   *  `keyPointer`. */
  readonly places: readonly (readonly [pointer: string, place: Place])[];
}
