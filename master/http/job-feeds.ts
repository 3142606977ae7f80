import { SluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { ServerToClient } from '../../pipeline/protocol/index.ts';
import { advanceFeed, newFeed, type Feed, type FeedDependencies } from './job-feed.ts';

/**
 * The live views of all watched jobs. One feed a job, however many watch it: documents are computed
 * once and broadcast. A feed is idle (nothing changed), waiting (a change came, its turn has not),
 * or running (documents are computed; changes meanwhile make it wait again). It lives while
 * somebody watches; the master is listened to while there is a feed.
 */
export interface JobFeeds {
  /** One watcher more. Throws what `service.snapshot` throws for an unknown job. */
  join(jobId: string): void;
  /** Gives one watcher all there is: snapshot, and records, profile and done where known. */
  greet(jobId: string, emit: Emit): void;
  leave(jobId: string): void;
  close(): void;
}

export type Emit = (event: keyof ServerToClient, document: unknown) => void;

export interface JobFeedsDependencies extends FeedDependencies {
  readonly onError: (error: unknown, jobId: string) => void;
}

const PROGRESS_INTERVAL_MS = 1000 / LIMITS.progressPerSecondMax;
/** A job that stands still is looked at so often: whom it waits for may change. */
const QUIET_INTERVAL_MS = LIMITS.workerHeartbeatMs;

export function createJobFeeds(dependencies: JobFeedsDependencies): JobFeeds {
  const { service, onError } = dependencies;
  const feeds = new Map<string, Feed>();
  let stopListening: (() => void) | null = null;

  function onChange(jobId: string): void {
    const feed = feeds.get(jobId);
    if (feed === undefined) return;
    feed.changed = true;
    schedule(feed);
  }

  function schedule(feed: Feed): void {
    if (feed.running) return;
    if (feed.timer !== null) clearTimeout(feed.timer);
    feed.timer = setTimeout(() => void takeTurn(feed), msUntilTurn(feed));
  }

  async function takeTurn(feed: Feed): Promise<void> {
    feed.timer = null;
    feed.running = true;
    feed.turnAtMs = performance.now();
    const { changed } = feed;
    feed.changed = false;
    try {
      await advanceFeed(feed, changed, dependencies);
    } catch (error) {
      if (isGone(error)) remove(feed);
      else onError(error, feed.jobId);
    }
    feed.running = false;
    if (feeds.get(feed.jobId) !== feed) return;
    if (feed.changed || feed.profileLate || feed.done === null) schedule(feed);
  }

  function remove(feed: Feed): void {
    if (feed.timer !== null) clearTimeout(feed.timer);
    feed.timer = null;
    if (feeds.get(feed.jobId) === feed) feeds.delete(feed.jobId);
    if (feeds.size > 0) return;
    stopListening?.();
    stopListening = null;
  }

  return {
    join(jobId) {
      const known = feeds.get(jobId);
      if (known !== undefined) return void known.watchers++;
      service.snapshot(jobId);
      feeds.set(jobId, newFeed(jobId));
      stopListening ??= service.onChange(onChange);
    },
    greet(jobId, emit) {
      const feed = feeds.get(jobId);
      if (feed === undefined) return;
      try {
        emit('snapshot', { ...service.snapshot(jobId), sequence: feed.sequence });
      } catch (error) {
        return isGone(error) ? remove(feed) : onError(error, jobId);
      }
      if (feed.page !== null) emit('records', { jobId, page: feed.page });
      if (feed.profile !== null) emit('profile', { jobId, profile: feed.profile });
      if (feed.done !== null) emit('done', feed.done);
      else schedule(feed);
    },
    leave(jobId) {
      const feed = feeds.get(jobId);
      if (feed !== undefined && --feed.watchers <= 0) remove(feed);
    },
    close() {
      for (const feed of [...feeds.values()]) remove(feed);
    },
  };
}

function msUntilTurn({ changed, profileLate, turnAtMs }: Feed): number {
  const intervalMs = changed || profileLate ? PROGRESS_INTERVAL_MS : QUIET_INTERVAL_MS;
  return Math.max(0, turnAtMs + intervalMs - performance.now());
}

function isGone(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'not-found';
}
