import { SluiceError } from '../errors.ts';
import type { PlanCheckAnswer, PlanIssue } from '../protocol/job.ts';
import { compilePlan, scopeOf, stepsOf, type PlanInput } from './compile.ts';
import { parsePlan } from './parse.ts';

/** What is wrong with a plan, if anything, and the scope of its steps. With an input its columns
 *  and types are checked too. */
export function checkPlan(text: string, input?: PlanInput): PlanCheckAnswer {
  try {
    const plan = parsePlan(text);
    const steps =
      input === undefined
        ? stepsOf(plan).map(({ kind }) => ({ kind, scope: scopeOf(kind) }))
        : compilePlan(plan, input).steps;
    return { valid: true, issues: [], steps: [...steps] };
  } catch (thrown) {
    const issues = thrown instanceof SluiceError ? thrown.details.issues : undefined;
    if (!Array.isArray(issues)) throw thrown;
    return { valid: false, issues: issues as PlanIssue[], steps: [] };
  }
}
