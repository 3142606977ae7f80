import { computed, ref, shallowRef, type Ref } from 'vue';
import type { Problem, SniffAnswer } from '../../../pipeline/protocol/index.ts';
import { sniff } from '../api/client.ts';
import { toProblem } from '../api/problem.ts';
import { readPlanOf } from './read-options.ts';
import { useDebounced } from './use-debounced.ts';

/** The server looks at no more than this. */
const SAMPLE_BYTES = 1024 * 1024;
const TYPING_MS = 250;

/** First records and dialect of a file, as the plan's `read` section says. */
export function usePreview(file: Readonly<Ref<File | null>>, plan: Readonly<Ref<string>>) {
  const answer = shallowRef<SniffAnswer | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const isLooking = ref(false);
  const source = computed(() => ({ file: file.value, read: readPlanOf(plan.value) }));
  let shown = '';

  useDebounced(
    () => source.value,
    TYPING_MS,
    async ({ file: chosen, read }, signal) => {
      if (chosen === null) return;
      const key = `${chosen.name}\n${chosen.size}\n${chosen.lastModified}\n${read}`;
      if (key === shown) return;
      isLooking.value = true;
      try {
        const sample = chosen.slice(0, SAMPLE_BYTES);
        answer.value = await sniff(sample, read, chosen.size <= SAMPLE_BYTES, signal);
        problem.value = null;
        shown = key;
      } catch (error) {
        if (signal.aborted) return;
        shown = '';
        problem.value = toProblem(error);
      }
      isLooking.value = false;
    },
  );
  return { answer, problem, isLooking };
}
