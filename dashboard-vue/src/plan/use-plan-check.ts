import { ref, shallowRef, type Ref } from 'vue';
import type { Column, PlanCheckAnswer, Problem } from '../../../pipeline/protocol/index.ts';
import { checkPlan } from '../api/client.ts';
import { toProblem } from '../api/problem.ts';
import { useDebounced } from './use-debounced.ts';

const TYPING_MS = 300;

/** What the server says of the plan's text while it is written, against the columns once known. */
export function usePlanCheck(
  plan: Readonly<Ref<string>>,
  columns: Readonly<Ref<readonly Column[] | null>>,
) {
  const answer = shallowRef<PlanCheckAnswer | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const isChecking = ref(false);

  useDebounced(
    () => ({ text: plan.value, known: columns.value }),
    TYPING_MS,
    async ({ text, known }, signal) => {
      if (text.trim() === '') {
        const none = { lookups: [], waves: null, outputColumns: null };
        answer.value = { valid: true, issues: [], steps: [], ...none };
        problem.value = null;
        return;
      }
      isChecking.value = true;
      try {
        answer.value = await checkPlan(text, known, signal);
        problem.value = null;
      } catch (error) {
        if (signal.aborted) return;
        answer.value = null;
        problem.value = toProblem(error);
      }
      isChecking.value = false;
    },
  );
  return { answer, problem, isChecking };
}
