import type { Column } from '../protocol/job.ts';
import { STEP_SCOPES, type StepScope } from './schema.ts';
import type { Numbered, PlanStep, StepKind } from './step.ts';
import type { WavePlan } from './waves.ts';

/** A step as it will be done. */
export interface PlannedStep {
  readonly step: PlanStep;
  readonly scope: StepScope;
  /** In which wave, from 1. Null behind an aggregate whose groups the master merges: on its groups. */
  readonly wave: number | null;
  /** In which wave it ends: a step over all records goes on in the next ones. */
  readonly lastWave: number | null;
  /** Columns that it leaves. */
  readonly columns: readonly Column[];
}

/** A step of a plan, and whether it works on groups that the master merges. */
export interface CompiledStep extends Pick<PlannedStep, 'step' | 'columns'> {
  readonly isGrouped: boolean;
}

/** All steps in their order, with the waves that they are done in. */
export function plannedSteps(
  compiled: readonly CompiledStep[],
  waves: readonly WavePlan[],
): PlannedStep[] {
  const spans = wavesOfSteps(waves);
  let before = 1;
  return compiled.map(({ isGrouped, step, columns }, i) => {
    const { first, last } = spans.get(i + 1) ?? { first: before, last: before };
    before = last;
    const span = isGrouped ? { wave: null, lastWave: null } : { wave: first, lastWave: last };
    const isGlobal = step.kind === 'join' && first < last;
    return { step, scope: isGlobal ? 'global' : scopeOf(step.kind), ...span, columns };
  });
}

/** Scope of a step. */
export function scopeOf(kind: StepKind): StepScope {
  return STEP_SCOPES[kind];
}

/** Waves that a step has work in, from 1. */
interface Span {
  readonly first: number;
  readonly last: number;
}

/**
 * The waves of each step, from 1, by its number: those whose tasks do something of it. Steps may be
 * done in another order than they stand in, such as a `select` behind a `sort` that is done before.
 */
function wavesOfSteps(waves: readonly WavePlan[]): ReadonlyMap<number, Span> {
  const spans = new Map<number, Span>();
  waves.forEach(({ context: { steps, exchange, input } }, index) => {
    const then = exchange?.records.then ?? [];
    const works: (Numbered | null)[] = [...steps, ...then, exchange];
    if (input !== 'chunk') works.push(input);
    for (const number of works.map((work) => work?.number)) {
      if (number === undefined) continue;
      const first = spans.get(number)?.first ?? index + 1;
      spans.set(number, { first, last: index + 1 });
    }
  });
  return spans;
}
