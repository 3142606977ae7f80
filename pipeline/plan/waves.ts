import { lookupContext } from '../execution/join/lookup-table.ts';
import { inputView, viewAfterAll, type ColumnView } from '../execution/column-view.ts';
import type { ChunkContext } from '../execution/context.ts';
import { cellsOf } from '../execution/record-layout.ts';
import { invariant } from '../errors.ts';
import { partialOptions } from '../execution/partial-options.ts';
import { isQuantile, isSpread, reducedShape } from '../aggregation/spread-measures.ts';
import { RFC_4180 } from '../parsing/dialect.ts';
import type { Exchange, RecordForm, RecordLayout } from '../exchange/exchange.ts';
import type { Column } from '../protocol/job.ts';
import { isAct, type GlobalAct } from './global-steps.ts';
import type { Step } from './step.ts';
import { layoutFor } from './tell-origins.ts';

export interface WavePlan {
  /** Decides what each task becomes. Equal plans and inputs give equal contexts. */
  readonly context: ChunkContext;
  /** Columns of the records that the wave's tasks put out. */
  readonly columns: readonly Column[];
  /** Name of the lookup whose parts are the wave's tasks; of other waves they are planned. */
  readonly lookup?: string;
}

/** Record steps, and what is done with all their records behind them; null at the end. */
interface Stretch {
  readonly steps: readonly Step[];
  readonly act: GlobalAct | null;
  /** Steps behind the act that pick and name columns only: done before it. */
  readonly then: readonly Step[];
}

/** The waves of a plan: one for its record steps up to each global one, and one for the rest.
 *  `first` is the context of the first wave but for its steps. */
export function planWaves(
  parts: readonly (Step | GlobalAct)[],
  first: ChunkContext,
): [WavePlan, ...WavePlan[]] {
  const waves: WavePlan[] = [];
  let context = first;
  const stretches = stretchesOf(parts);
  stretches.forEach(({ steps, act, then }, i) => {
    const inner = viewAfterAll([...steps, ...then], inputView(context));
    const rest = stretches.slice(i + 1);
    if (act?.kind === 'group') {
      for (const [step, exchange] of groupExchanges({ ...context, steps }, act).entries()) {
        const own = step === 0 ? steps : [];
        waves.push({ context: { ...context, steps: own, exchange }, columns: act.columns });
        context = groupContext(context, act.columns, exchange);
      }
      return;
    }
    if (act?.kind === 'meet') {
      const layout = layoutFor(cellsOf(inner), inner, context, partsOf(rest));
      const met = meetingWaves(act, { ...context, steps }, inner, layout);
      waves.push(...met.waves);
      context = met.next;
      return;
    }
    const exchanges =
      act === null ? [null] : exchangesOf(act, recordForm(inner, act, then, rest, context), rest);
    exchanges.forEach((exchange, step) => {
      const own = step === 0 ? steps : [];
      waves.push({ context: { ...context, steps: own, exchange }, columns: inner.columns });
      if (exchange === null) return;
      const columns = exchange.records.layout?.fields ?? [];
      context = { ...context, input: exchange, columns, nullPadding: false };
    });
  });
  return waves as [WavePlan, ...WavePlan[]];
}

/** Cuts a plan at its global steps. What only picks columns goes before them, from the end on, and
 *  checks go before a sort: the records that they reject have their places in the input there. */
function stretchesOf(parts: readonly (Step | GlobalAct)[]): Stretch[] {
  const steps: Step[][] = [[]];
  const acts: GlobalAct[] = [];
  for (const part of parts) {
    if (isAct(part)) {
      acts.push(part);
      steps.push([]);
    } else steps.at(-1)?.push(part);
  }
  const stretches: Stretch[] = [{ steps: steps.at(-1) ?? [], act: null, then: [] }];
  for (let i = acts.length - 1; i >= 0; i--) {
    const act = acts[i]!;
    const own = [...steps[i]!];
    let behind = stretches[0]!;
    if (act.kind === 'sort') {
      const checks = leadingChecks(behind.steps);
      own.push(...checks);
      behind = { ...behind, steps: behind.steps.slice(checks.length) };
    }
    const found = behind.steps.findIndex((step) => !picksColumns(step));
    const length = found < 0 ? behind.steps.length : found;
    const lead = behind.steps.slice(0, length);
    stretches[0] = { ...behind, steps: behind.steps.slice(length) };
    if (act.kind === 'meet') {
      const { how, adds, number } = act.join;
      const origin = number === undefined ? {} : { number };
      const match: Step = { ...origin, kind: 'match', how, adds };
      stretches[0] = { ...behind, steps: [match, ...behind.steps] };
      stretches.unshift({ steps: own, act, then: [] });
    } else if (act.kind === 'group') {
      stretches[0] = behind;
      stretches.unshift({ steps: own, act, then: [] });
    } else if (act.kind === 'limit') stretches.unshift({ steps: [...own, ...lead], act, then: [] });
    else stretches.unshift({ steps: own, act, then: lead });
  }
  return stretches;
}

/** The checks that reject at the beginning of some steps. */
function leadingChecks(steps: readonly Step[]): readonly Step[] {
  const end = steps.findIndex((step) => step.kind !== 'check' || step.warning !== undefined);
  return end < 0 ? steps : steps.slice(0, end);
}

/** Whether a step computes nothing and keeps every record. */
function picksColumns(step: Step): boolean {
  if (step.kind === 'derive') return step.expression.ast.kind === 'column';
  return step.kind === 'select' || step.kind === 'drop' || step.kind === 'rename';
}

/** Records are written as they will be at last where nobody looks into them any more. */
function recordForm(
  view: ColumnView,
  act: GlobalAct,
  then: readonly Step[],
  rest: readonly Stretch[],
  context: ChunkContext,
): RecordForm {
  const rejects = act.kind === 'distinct' && act.onDuplicate === 'reject';
  const isLast =
    !rejects &&
    rest.every(({ steps, act: next }) => {
      return steps.length === 0 && (next === null || next.kind === 'limit');
    });
  if (isLast) return { then, layout: null };
  // What a step rejects of the records that it takes itself is rejected in the next wave.
  const later = rejects ? [act, ...partsOf(rest)] : partsOf(rest);
  return { then, layout: layoutFor(cellsOf(view), view, context, later) };
}

function partsOf(stretches: readonly Stretch[]): (Step | GlobalAct)[] {
  return stretches.flatMap(({ steps, act, then }) => [
    ...steps,
    ...(act === null ? [] : [act]),
    ...then,
  ]);
}

/** What the tasks of the aggregate at the end of these steps leave, and those behind them, where its
 *  measures need every value of a group. */
function groupExchanges(
  context: ChunkContext,
  { number }: Extract<GlobalAct, { kind: 'group' }>,
): Exchange[] {
  const { aggregate: shape } = partialOptions(context);
  invariant(shape !== undefined, 'an aggregate is before its groups');
  const about = {
    records: { then: [], layout: null },
    ...(number === undefined ? {} : { number }),
  };
  if (!shape.measures.some(isSpread)) return [{ kind: 'group', shape, ...about }];
  const hasPicks = shape.measures.some(isQuantile);
  const reduced = reducedShape(shape);
  return [
    { kind: 'values', shape, ...about },
    ...(hasPicks ? [{ kind: 'portions', shape, ...about } as const] : []),
    { kind: 'group', shape: reduced, reduced: hasPicks ? 'picks' : 'values', ...about },
  ];
}

/** Groups come as RFC 4180 records, see `mergeGroups`. */
function groupContext(
  context: ChunkContext,
  columns: readonly Column[],
  input: Exchange,
): ChunkContext {
  return {
    ...{ ...context, input, columns, nullPadding: false, nullstr: [''] },
    format: 'groups',
    dialect: { ...RFC_4180, header: false },
  };
}

/** The waves of a join to a lookup in parts, and the context of the one that joins, but for its
 *  steps: records with their keys, the lookup by key, and what matches. */
function meetingWaves(
  { join, lookup }: Extract<GlobalAct, { kind: 'meet' }>,
  context: ChunkContext,
  view: ColumnView,
  layout: RecordLayout,
): { readonly waves: readonly WavePlan[]; readonly next: ChunkContext } {
  const { on, how, adds, number } = join;
  const origin = number === undefined ? {} : { number };
  const records = { then: [], layout };
  const none = { then: [], layout: null };
  const probe: Exchange = { kind: 'probe', on, records, ...origin };
  const build: Exchange = {
    ...{ kind: 'build', on, columns: adds.map(({ lookupColumn }) => lookupColumn) },
    ...{ keepsOne: how === 'semi' || how === 'anti', records: none, ...origin },
  };
  const matches: Exchange = { kind: 'matches', records, ...origin };
  const ofLookup = { ...lookupContext(join), exchange: build };
  const ofKeys = { ...context, input: build, columns: [], steps: [], nullPadding: false };
  return {
    waves: [
      { context: { ...context, exchange: probe }, columns: view.columns },
      { context: { ...ofLookup, onError: 'fail' }, columns: [], lookup: lookup.name },
      { context: { ...ofKeys, exchange: matches }, columns: [] },
    ],
    next: { ...context, input: matches, columns: layout.fields, nullPadding: false },
  };
}

/** What an act takes: one exchange, or two where keys are compared in a wave of their own. */
function exchangesOf(
  act: Exclude<GlobalAct, { kind: 'group' | 'meet' }>,
  records: RecordForm,
  rest: readonly Stretch[],
): Exchange[] {
  switch (act.kind) {
    case 'limit':
      return [{ ...act, records }];
    case 'sort': {
      const [next] = rest;
      const limit = next?.steps.length === 0 && next.act?.kind === 'limit' ? next.act : null;
      const take = limit?.count == null ? null : limit.offset + limit.count;
      return [{ ...act, take, records }];
    }
    case 'distinct': {
      const { by, onDuplicate, number } = act;
      const origin = number === undefined ? {} : { number };
      return [
        { ...act, records },
        { kind: 'duplicates', by, onDuplicate, records, ...origin },
      ];
    }
  }
}
