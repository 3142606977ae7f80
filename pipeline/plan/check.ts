import { SluiceError } from '../errors.ts';
import type { PlanCheckAnswer, PlanIssue } from '../protocol/plan-check.ts';
import { compilePlan, stepsOf, type PlanInput } from './compile.ts';
import { lookupNames } from './join.ts';
import { parsePlan } from './parse.ts';
import { scopeOf } from './planned-step.ts';
import { renderStep } from './render-step.ts';

/**
 * What is wrong with a plan, if anything, and what its steps do. With an input its columns and types
 * are checked too, unless the plan joins to lookups and nothing is known of them.
 */
export function checkPlan(text: string, input?: PlanInput): PlanCheckAnswer {
  try {
    const plan = parsePlan(text);
    const lookups = lookupNames(plan);
    if (input === undefined || (input.lookups === undefined && lookups.length > 0)) {
      const steps = stepsOf(plan).map((step) => ({
        ...{ kind: step.kind, scope: scopeOf(step.kind), text: renderStep(step) },
        ...{ wave: null, lastWave: null, columns: null },
      }));
      return { valid: true, issues: [], steps, lookups, waves: null, outputColumns: null };
    }
    const compiled = compilePlan(plan, input);
    const steps = compiled.steps.map(({ step, scope, wave, lastWave, columns }) => ({
      ...{ kind: step.kind, scope, text: renderStep(step), wave, lastWave },
      columns: columns.map(shownColumn),
    }));
    const outputColumns = [...compiled.outputColumns];
    const waves = compiled.waves.length;
    return { valid: true, issues: [], steps, lookups, waves, outputColumns };
  } catch (thrown) {
    const issues = thrown instanceof SluiceError ? thrown.details.issues : undefined;
    if (!Array.isArray(issues)) throw thrown;
    const none = { steps: [], lookups: [], waves: null, outputColumns: null };
    return { valid: false, issues: issues as PlanIssue[], ...none };
  }
}

/** Columns that a plan makes for itself are called by what they hold. */
function shownColumn<Shown extends { readonly name: string }>(column: Shown): Shown {
  return { ...column, name: column.name.replaceAll('\u0000', '') };
}
