import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LIMITS } from '../pipeline/limits.ts';
import type { Job, Reject, StoredLookup } from '../pipeline/protocol/index.ts';
import { masterConfig } from '../master/config.ts';
import { blobPlace } from '../master/blob-place.ts';
import { IngestThreads } from '../master/ingest/ingest-threads.ts';
import { masterLog, startLocalQueue } from '../master/local-queue.ts';
import type { RunningMaster } from '../master/main.ts';
import { runLogLevel } from './config.ts';
import type { JobRunner, Submission, SubmittedJob } from './job-runner.ts';
import { makeDataFolder } from './writable.ts';

export interface EmbeddedOptions {
  /** Kept when given; else a throwaway folder is used and removed. */
  readonly dataDir?: string;
  /** Worker processes, all at once. When left out as many as cores, each when there is work for it. */
  readonly workers?: number;
}

/** From here on a plan of several waves has work for all workers: each costs 0.2 s of processor time to
 *  start, and 30 MB take twice that. */
const WORTH_ALL_WORKERS_BYTES = 30_000_000;

export interface EmbeddedMaster {
  readonly master: RunningMaster;
  /** Starts the workers that there may be beside the first. */
  readonly startAllWorkers: () => void;
  close(): Promise<void>;
}

/** A master of this process alone: it listens nowhere, and its workers are child processes. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedMaster> {
  const throwaway = options.dataDir === undefined;
  if (options.dataDir !== undefined) makeDataFolder(options.dataDir);
  const dataDir = options.dataDir ?? (await mkdtemp(path.join(tmpdir(), 'sluice-run-')));
  const removeData = async (): Promise<void> => {
    if (throwaway) await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const config = masterConfig({
      ...{ listen: false, dataDir, durable: !throwaway, workersAtOnce: 1 },
      logLevel: runLogLevel(),
      ...(options.workers === undefined
        ? {}
        : { workers: options.workers, workersAtOnce: options.workers }),
    });
    // The thread that reads and the workers start while this thread loads the master: all take as long.
    const ingestThreads = new IngestThreads(blobPlace(config));
    const queue = config.broker === null ? startLocalQueue(config, masterLog(config)) : undefined;
    const { startMaster } = await import('../master/main.ts');
    const master = await startMaster(config, { ingestThreads, ...(queue && { queue }) });
    const close = async (): Promise<void> => {
      await master.close().finally(removeData);
    };
    return { master, startAllWorkers: () => queue?.startAllWorkers(), close };
  } catch (thrown) {
    await removeData();
    throw thrown;
  }
}

export async function embeddedRunner(options: EmbeddedOptions): Promise<JobRunner> {
  const embedded = await startEmbedded(options);
  const { master, startAllWorkers } = embedded;
  const { service } = master;
  return {
    submit: async (request, signal) => {
      const submitted = await submit(master, request, signal);
      const { bytesTotal } = request.input;
      if (bytesTotal !== null && bytesTotal >= WORTH_ALL_WORKERS_BYTES) {
        onWaves(master, submitted.id, startAllWorkers);
      }
      return submitted;
    },
    job: async (id) => service.getJob(id),
    follow: async (id, signal) => service.result(id).follow(0, signal),
    lend: async (id, signal) => service.result(id).lend(0, signal),
    rejects: (id) => rejectsOf(master, id),
    chunks: async (id, cursor) => service.chunks(id, cursor, LIMITS.pageRecordsMax),
    profile: (id) => service.profile(id),
    manifest: (id) => service.manifest(id),
    cancel: async (id) => {
      await service.cancel(id);
    },
    close: () => embedded.close(),
  };
}

async function submit(
  { service }: RunningMaster,
  request: Submission,
  signal: AbortSignal,
): Promise<SubmittedJob> {
  const { input, plan, profile, onBytes } = request;
  const lookups: StoredLookup[] = [];
  for (const lookup of request.lookups) {
    lookups.push(await service.addLookup(lookup.name, createReadStream(lookup.path)));
  }
  let received: Promise<Job> | undefined;
  const created = new Promise<string>((resolve) => {
    const onCreated = (job: Job): void => {
      resolve(job.id);
    };
    const { name, bytesTotal, formatHint } = input;
    const about = {
      ...{ name, plan, profile, lookups, bytesTotal, formatHint, idempotencyKey: null },
      ...{ onCreated, onBytes },
    };
    const body = input.path === null ? input.open() : { path: input.path };
    received = service.receive(about, body, signal);
  });
  if (received === undefined) throw new TypeError('unreachable: the executor ran synchronously');
  const finished = received;
  const id = await Promise.race([created, finished.then((job) => job.id)]);
  return { id, received: finished };
}

/** Calls `start` when the job turns out to have several waves. */
function onWaves({ service }: RunningMaster, id: string, start: () => void): void {
  const look = (): void => {
    const { waves } = service.getJob(id);
    if (waves.length > 0) stop();
    if (waves.length > 1) start();
  };
  const stop = service.onChange((jobId) => {
    if (jobId === id) look();
  });
  look();
}

async function* rejectsOf({ service }: RunningMaster, id: string): AsyncGenerator<Reject> {
  for (let offset = 0; ;) {
    const page = await service.rejects(id, offset, LIMITS.pageRecordsMax);
    yield* page.rejects;
    offset += page.rejects.length;
    if (page.rejects.length === 0 || offset >= page.available) return;
  }
}
