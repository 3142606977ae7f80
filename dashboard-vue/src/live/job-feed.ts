import type {
  Job,
  Problem,
  Profile,
  RecordPage,
  Snapshot,
  WatchAnswer,
} from '../../../pipeline/protocol/index.ts';

/**
 * The live view of one job, from Socket.IO where it connects, else by polling the same HTTP calls.
 *
 * | connection | enters when                        | leaves when                                 |
 * | ---------- | ---------------------------------- | ------------------------------------------- |
 * | connecting | the feed starts                    | the socket answers, or a poll does          |
 * | live       | a snapshot came over the socket    | the socket disconnects                      |
 * | polling    | a poll answered, no socket         | a snapshot comes, or a poll fails           |
 * | offline    | a poll got no answer               | a poll or the socket answers                |
 *
 * Polling starts `graceMs` after the start or a disconnect, so that a quick connection is not
 * doubled, and stops when the socket is live. Events carry a sequence: older ones are dropped, and a
 * gap asks for a new snapshot.
 */
export type Connection = 'connecting' | 'live' | 'polling' | 'offline';

export interface JobView {
  readonly job: Job | null;
  /** One character a chunk; see `Snapshot`. */
  readonly chunkMap: string;
  readonly profile: Profile | null;
  readonly connection: Connection;
  /** Why there is no job to show, such as that it was deleted. */
  readonly problem: Problem | null;
}

export interface FeedEvents {
  connect: () => void;
  disconnect: () => void;
  snapshot: (event: Snapshot) => void;
  progress: (event: Snapshot) => void;
  done: (event: Snapshot) => void;
  records: (event: { readonly jobId: string; readonly page: RecordPage }) => void;
  profile: (event: { readonly jobId: string; readonly profile: Profile }) => void;
}

/** What the feed needs of a Socket.IO connection. */
export interface FeedSocket {
  readonly connected: boolean;
  on<Name extends keyof FeedEvents>(name: Name, listener: FeedEvents[Name]): void;
  off<Name extends keyof FeedEvents>(name: Name, listener: FeedEvents[Name]): void;
  watch(jobId: string, answer: (result: WatchAnswer) => void): void;
  unwatch(jobId: string): void;
}

/** What the feed reads when it polls. */
export interface PolledView {
  readonly job: Job;
  readonly chunkMap: string;
}

export interface FeedDeps {
  readonly socket: FeedSocket;
  poll(jobId: string): Promise<PolledView>;
  /** Turns what `poll` threw into a problem; status 0 means that nobody answered. */
  problemOf(thrown: unknown): Problem;
  isFinal(job: Job): boolean;
  onView(view: JobView): void;
  /** Runs `action` once after `ms`; the answer cancels it. */
  after(ms: number, action: () => void): () => void;
}

export interface JobFeed {
  start(): void;
  /** Asks again now, after an action of the user. */
  refresh(): void;
  stop(): void;
}

const GRACE_MS = 1500;
const POLL_MS = 1000;
const POLL_FINAL_MS = 10_000;
const POLL_OFFLINE_MS = 3000;

export function createJobFeed(jobId: string, deps: FeedDeps): JobFeed {
  let view: JobView = {
    job: null,
    chunkMap: '',
    profile: null,
    connection: 'connecting',
    problem: null,
  };
  let sequence = -1;
  let stopped = true;
  let cancelTimer = () => {};

  const change = (part: Partial<JobView>) => {
    view = { ...view, ...part };
    deps.onView(view);
  };
  const schedulePoll = (ms: number) => {
    cancelTimer();
    cancelTimer = deps.after(ms, () => void poll());
  };

  const take = (event: Snapshot, isRestart: boolean) => {
    if (event.jobId !== jobId || stopped) return;
    const expected = sequence + 1;
    if (!isRestart && event.sequence < expected) return;
    sequence = event.sequence;
    cancelTimer();
    change({ job: event.job, chunkMap: event.chunkMap, connection: 'live', problem: null });
    if (!isRestart && event.sequence > expected) watch();
  };
  const onSnapshot = (event: Snapshot) => take(event, true);
  const onProgress = (event: Snapshot) => take(event, false);
  const onProfile: FeedEvents['profile'] = (event) => {
    if (event.jobId === jobId && !stopped) change({ profile: event.profile });
  };

  function watch(): void {
    deps.socket.watch(jobId, (answer) => {
      if (!answer.ok && !stopped) schedulePoll(0);
    });
  }
  const onConnect = () => {
    watch();
  };
  const onDisconnect = () => {
    sequence = -1;
    if (!stopped) schedulePoll(GRACE_MS);
  };

  async function poll(): Promise<void> {
    let next = POLL_MS;
    try {
      const answer = await deps.poll(jobId);
      if (stopped) return;
      if (view.connection === 'live' && deps.socket.connected) return;
      change({ ...answer, connection: 'polling', problem: null });
      if (deps.isFinal(answer.job)) next = POLL_FINAL_MS;
    } catch (error) {
      if (stopped) return;
      const problem = deps.problemOf(error);
      const isOffline = problem.status === 0;
      // The last known job stays on the screen while the server cannot be reached.
      if (isOffline) change({ connection: 'offline', problem: view.job === null ? problem : null });
      else change({ job: null, problem, connection: 'polling' });
      next = POLL_OFFLINE_MS;
    }
    schedulePoll(next);
  }

  return {
    start() {
      stopped = false;
      deps.socket.on('connect', onConnect);
      deps.socket.on('disconnect', onDisconnect);
      deps.socket.on('snapshot', onSnapshot);
      deps.socket.on('progress', onProgress);
      deps.socket.on('done', onProgress);
      deps.socket.on('profile', onProfile);
      schedulePoll(GRACE_MS);
      if (deps.socket.connected) watch();
    },
    refresh() {
      if (stopped) return;
      if (deps.socket.connected && view.connection === 'live') watch();
      else schedulePoll(0);
    },
    stop() {
      stopped = true;
      cancelTimer();
      if (deps.socket.connected) deps.socket.unwatch(jobId);
      deps.socket.off('connect', onConnect);
      deps.socket.off('disconnect', onDisconnect);
      deps.socket.off('snapshot', onSnapshot);
      deps.socket.off('progress', onProgress);
      deps.socket.off('done', onProgress);
      deps.socket.off('profile', onProfile);
    },
  };
}
