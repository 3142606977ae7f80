import { onScopeDispose, ref, shallowRef, watch } from 'vue';
import type { Job, JobStatus, Problem } from '../../../pipeline/protocol/index.ts';
import { listJobs } from '../api/client.ts';
import { toProblem } from '../api/problem.ts';
import { isActive } from '../format/job-status.ts';
import { useRepeat } from '../live/use-repeat.ts';

const PAGE = 50;
const ACTIVE_MS = 2000;
const QUIET_MS = 8000;
const TYPING_MS = 200;

/** The list of jobs, newest first, kept fresh; older pages are appended when asked for. */
export function useJobList() {
  const fresh = shallowRef<readonly Job[]>([]);
  const older = shallowRef<readonly Job[]>([]);
  const jobs = shallowRef<readonly Job[]>([]);
  const status = ref<JobStatus | ''>('');
  const search = ref('');
  const problem = shallowRef<Problem | null>(null);
  const isLoaded = ref(false);
  const isLoadingMore = ref(false);
  const hasMore = ref(false);
  let cursor: string | null = null;
  let typing: ReturnType<typeof setTimeout> | undefined;

  const filter = () => ({ q: search.value.trim(), status: status.value || null, limit: PAGE });
  const isCurrent = (asked: ReturnType<typeof filter>) =>
    asked.q === filter().q && asked.status === filter().status;
  const show = () => {
    const freshIds = new Set(fresh.value.map((job) => job.id));
    jobs.value = [...fresh.value, ...older.value.filter((job) => !freshIds.has(job.id))];
    hasMore.value = cursor !== null;
  };

  const repeat = useRepeat(
    async () => {
      const asked = filter();
      try {
        const page = await listJobs(asked);
        if (!isCurrent(asked)) return;
        // What a new job pushed off the first page is kept, so that nothing drops out of the list.
        const ids = new Set(page.jobs.map((job) => job.id));
        if (older.value.length > 0) {
          older.value = [...fresh.value.filter((job) => !ids.has(job.id)), ...older.value];
        } else cursor = page.nextCursor;
        fresh.value = page.jobs;
        problem.value = null;
        isLoaded.value = true;
        show();
      } catch (error) {
        problem.value = toProblem(error);
      }
    },
    () => (jobs.value.some((job) => isActive(job.status)) ? ACTIVE_MS : QUIET_MS),
  );

  async function loadMore(): Promise<void> {
    const asked = filter();
    isLoadingMore.value = true;
    try {
      const page = await listJobs({ ...asked, cursor });
      if (isCurrent(asked)) {
        older.value = [...older.value, ...page.jobs];
        cursor = page.nextCursor;
        show();
      }
    } catch (error) {
      problem.value = toProblem(error);
    }
    isLoadingMore.value = false;
  }

  watch([search, status], () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      older.value = [];
      cursor = null;
      repeat.again();
    }, TYPING_MS);
  });
  onScopeDispose(() => {
    clearTimeout(typing);
  });
  return { jobs, status, search, problem, isLoaded, hasMore, isLoadingMore, loadMore };
}
