import { Type, type Static } from 'typebox';
import { Column } from './job.ts';

export const PlanIssue = Type.Object({
  message: Type.String(),
  /** JSON pointer into the plan, such as /steps/2/filter. */
  path: Type.String(),
  /** Place in the plan's text, from 1; null when the plan came as JSON. */
  line: Type.Union([Type.Integer(), Type.Null()]),
  column: Type.Union([Type.Integer(), Type.Null()]),
  /** Place in the expression or statement at `path`, in UTF-16 units from 0; absent elsewhere. */
  offset: Type.Optional(Type.Integer()),
  /** What was expected here. */
  expected: Type.String(),
});
export type PlanIssue = Static<typeof PlanIssue>;

export const PlanCheckAnswer = Type.Object({
  valid: Type.Boolean(),
  issues: Type.Array(PlanIssue),
  steps: Type.Array(
    Type.Object({
      kind: Type.String(),
      scope: Type.Union([
        Type.Literal('record'),
        Type.Literal('mergeable'),
        Type.Literal('global'),
      ]),
      /** What it does, on one line. */
      text: Type.String(),
      /** Wave in which it is done, or begins, from 1; null behind an aggregate whose groups are merged
       *  at the end, and where no columns were given. */
      wave: Type.Union([Type.Integer(), Type.Null()]),
      /** Wave in which it ends; a step over all records goes on in the next ones. */
      lastWave: Type.Union([Type.Integer(), Type.Null()]),
      /** Columns that it leaves; null where no columns were given. */
      columns: Type.Union([Type.Array(Column), Type.Null()]),
    }),
  ),
  /** Names of the files that it joins to: they have to come with the job. */
  lookups: Type.Array(Type.String()),
  /** How many waves of tasks there are; null where no columns were given. */
  waves: Type.Union([Type.Integer(), Type.Null()]),
  /** Columns of the result; null where no columns were given. */
  outputColumns: Type.Union([Type.Array(Column), Type.Null()]),
});
export type PlanCheckAnswer = Static<typeof PlanCheckAnswer>;
