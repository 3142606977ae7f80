import { LIMITS } from '../../pipeline/limits.ts';
import {
  FINAL_STATUSES,
  type Job,
  type Profile,
  type RecordPage,
  type ServerToClient,
  type Snapshot,
} from '../../pipeline/protocol/index.ts';
import type { MasterService } from '../service.ts';

/** What the watchers of one job have been told, and one turn of telling them what is new. */
export interface Feed {
  readonly jobId: string;
  watchers: number;
  sequence: number;
  /** False only until the first turn: its snapshot has been sent already. */
  changed: boolean;
  running: boolean;
  timer: NodeJS.Timeout | null;
  turnAtMs: number;
  profileAtMs: number;
  /** The profile may have news that came too early. */
  profileLate: boolean;
  page: RecordPage | null;
  profile: Profile | null;
  /** As it was told last. */
  waitsFor: Job['waitsFor'];
  done: Snapshot | null;
}

export interface FeedDependencies {
  readonly service: MasterService;
  /** To all watchers of the job. */
  readonly broadcast: (jobId: string, event: keyof ServerToClient, document: unknown) => void;
}

const PROFILE_INTERVAL_MS = 1000;

export function newFeed(jobId: string): Feed {
  return {
    jobId,
    watchers: 1,
    sequence: 0,
    changed: false,
    running: false,
    timer: null,
    turnAtMs: -Infinity,
    profileAtMs: -Infinity,
    profileLate: false,
    page: null,
    profile: null,
    waitsFor: null,
    done: null,
  };
}

/** Progress, then what is due of records and profile, then the end. */
export async function advanceFeed(
  feed: Feed,
  changed: boolean,
  dependencies: FeedDependencies,
): Promise<void> {
  const { jobId } = feed;
  const { service, broadcast } = dependencies;
  const view = service.snapshot(jobId);
  const final = FINAL_STATUSES.includes(view.job.status);
  if (!final) feed.done = null;
  // Workers and broker come and go without a change of the job.
  const { waitsFor } = view.job;
  if (changed || waitsFor !== feed.waitsFor) {
    broadcast(jobId, 'progress', { ...view, sequence: ++feed.sequence });
  }
  feed.waitsFor = waitsFor;
  await advanceRecords(feed, dependencies);
  await advanceProfile(feed, final, dependencies);
  // What came meanwhile has its own turn; the end is told once, when nothing moves.
  if (!final || feed.done !== null || feed.changed) return;
  feed.done = { ...view, sequence: ++feed.sequence };
  broadcast(jobId, 'done', feed.done);
}

async function advanceRecords(feed: Feed, { service, broadcast }: FeedDependencies): Promise<void> {
  if (feed.page !== null && feed.page.records.length >= LIMITS.pageRecordsDefault) return;
  const page = await service.records(feed.jobId, 0, LIMITS.pageRecordsDefault);
  if (page.records.length === 0 || page.records.length === feed.page?.records.length) return;
  feed.page = page;
  broadcast(feed.jobId, 'records', { jobId: feed.jobId, page });
}

async function advanceProfile(
  feed: Feed,
  final: boolean,
  { service, broadcast }: FeedDependencies,
): Promise<void> {
  const dueInMs = feed.profileAtMs + PROFILE_INTERVAL_MS - performance.now();
  feed.profileLate = dueInMs > 0 && !final;
  if (feed.profileLate) return;
  const profile = await service.profile(feed.jobId);
  if (profile.records === 0 || isSameProfile(profile, feed.profile)) return;
  feed.profileAtMs = performance.now();
  feed.profile = profile;
  broadcast(feed.jobId, 'profile', { jobId: feed.jobId, profile });
}

function isSameProfile(one: Profile, other: Profile | null): boolean {
  return other !== null && one.records === other.records && one.complete === other.complete;
}
