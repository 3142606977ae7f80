import { onScopeDispose, shallowRef, watch, type Ref } from 'vue';
import { getChunks, getJob } from '../api/client.ts';
import { toProblem } from '../api/problem.ts';
import { createChunkPages, type ChunkPages } from '../chunks/chunk-pages.ts';
import { isFinal } from '../format/job-status.ts';
import { createJobFeed, type JobFeed, type JobView } from './job-feed.ts';
import { createFeedSocket } from './jobs-socket.ts';

const CHUNK_PAGE = 1000;
const NOTHING: JobView = {
  job: null,
  chunkMap: '',
  profile: null,
  connection: 'connecting',
  problem: null,
};

/** The live view of the job with this id, as long as the calling component lives. */
export function useJobFeed(id: Readonly<Ref<string>>) {
  const view = shallowRef<JobView>(NOTHING);
  const chunkPages = shallowRef<ChunkPages>(pagesOf(id.value));
  let feed: JobFeed | null = null;

  function pagesOf(jobId: string): ChunkPages {
    return createChunkPages((cursor) => getChunks(jobId, cursor, CHUNK_PAGE));
  }
  watch(
    id,
    (jobId) => {
      feed?.stop();
      view.value = NOTHING;
      const pages = pagesOf(jobId);
      chunkPages.value = pages;
      feed = createJobFeed(jobId, {
        socket: createFeedSocket(),
        poll: async () => {
          const job = await getJob(jobId);
          return { job, chunkMap: await pages.refresh() };
        },
        problemOf: toProblem,
        isFinal: (job) => isFinal(job.status),
        onView: (next) => {
          view.value = next;
        },
        after: (ms, action) => {
          const timer = setTimeout(action, ms);
          return () => {
            clearTimeout(timer);
          };
        },
      });
      feed.start();
    },
    { immediate: true },
  );
  onScopeDispose(() => feed?.stop());
  return { view, chunkPages, refresh: () => feed?.refresh() };
}
