import type { Job, Profile, RecordPage } from './job.ts';

/** Socket.IO namespace `/jobs`. Each event is complete in itself; `sequence` counts per watch. */

export interface ServerToClient {
  snapshot: (event: Snapshot) => void;
  progress: (event: Progress) => void;
  records: (event: { readonly jobId: string; readonly page: RecordPage }) => void;
  profile: (event: { readonly jobId: string; readonly profile: Profile }) => void;
  done: (event: Snapshot) => void;
}

export interface ClientToServer {
  /** Starts (or restarts after a gap) the view of one job: a `snapshot` follows. */
  watch: (request: { readonly jobId: string }, answer?: (result: WatchAnswer) => void) => void;
  unwatch: (request: { readonly jobId: string }) => void;
}

export type WatchAnswer =
  { readonly ok: true } | { readonly ok: false; readonly code: string; readonly message: string };

export interface Snapshot {
  readonly jobId: string;
  readonly sequence: number;
  readonly job: Job;
  /** One character a chunk, in file order: q queued, r running, d done, u reused, f failed. */
  readonly chunkMap: string;
}

/** At most 4 a second. */
export type Progress = Snapshot;
