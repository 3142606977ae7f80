import type { Column } from '../protocol/job.ts';
import type { StepScope } from './schema.ts';
import type { Numbered, PlanStep } from './step.ts';
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

/** Waves that a step has work in, from 1. */
interface Span {
  readonly first: number;
  readonly last: number;
}

/**
 * The waves of each step, from 1, by its number: those whose tasks do something of it. Steps may be
 * done in another order than they stand in, such as a `select` behind a `sort` that is done before.
 */
export function wavesOfSteps(waves: readonly WavePlan[]): ReadonlyMap<number, Span> {
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
