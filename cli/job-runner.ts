import type { Readable } from 'node:stream';
import type { InputSource } from './input-source.ts';
import type { LookupSource } from './lookup-source.ts';
import type {
  Chunk,
  ChunkPage,
  Job,
  Manifest,
  Profile,
  Reject,
} from '../pipeline/protocol/index.ts';

/** Where a job runs: in this process's own master, or on a server. */
export interface JobRunner {
  /** Starts a job over the input. Errors of the plan come before any byte is read. */
  submit(request: Submission, signal: AbortSignal): Promise<SubmittedJob>;
  job(id: string): Promise<Job>;
  /** The result's bytes from the start, going on while it grows, until the job ends. */
  follow(id: string, signal: AbortSignal): Promise<Readable>;
  /** The same in pieces for somebody who has written each away before he asks for the next. */
  lend(id: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  rejects(id: string): AsyncIterable<Reject>;
  /** Some chunks of a job, behind those of the page before. */
  chunks(id: string, cursor: string | null): Promise<ChunkPage>;
  profile(id: string): Promise<Profile>;
  manifest(id: string): Promise<Manifest>;
  cancel(id: string): Promise<void>;
  close(): Promise<void>;
}

export interface Submission {
  readonly input: InputSource;
  /** Text of the plan; '' for the plain job. */
  readonly plan: string;
  /** Whether somebody will look at the profile of a plan without steps. */
  readonly profile: boolean;
  /** The files that the plan joins to. */
  readonly lookups: readonly LookupSource[];
  /** Bytes handed over so far, for the progress bar. */
  readonly onBytes: (bytesSent: number) => void;
  /** Called when the connection is lost, with the reason, and with null when it is back. */
  readonly onStall: (reason: unknown) => void;
}

export interface SubmittedJob {
  readonly id: string;
  /** Resolves when the whole input has been taken. */
  readonly received: Promise<Job>;
}

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

/** The job once it has ended. */
export async function waitForEnd(
  runner: JobRunner,
  id: string,
  isFinal: (job: Job) => boolean,
  signal: AbortSignal,
): Promise<Job> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 1.5)) {
    const job = await runner.job(id);
    if (isFinal(job)) return job;
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

/** The first chunk that failed on every attempt; null when there is none. */
export async function firstFailedChunk(runner: JobRunner, id: string): Promise<Chunk | null> {
  let cursor: string | null = null;
  do {
    const page: ChunkPage = await runner.chunks(id, cursor);
    const failed = page.chunks.find(({ status }) => status === 'failed');
    if (failed !== undefined) return failed;
    cursor = page.nextCursor;
  } while (cursor !== null);
  return null;
}
