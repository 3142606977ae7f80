import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { builtFile } from '../pipeline/built-files.ts';
import { SluiceError } from '../pipeline/errors.ts';
import { LIMITS } from '../pipeline/limits.ts';
import type { TaskProducer } from '../pipeline/protocol/index.ts';
import type { IngestBlobStore } from '../pipeline/storage/blob-store.ts';
import { makeFolder } from '../pipeline/storage/make-folder.ts';
import {
  type BlobPlace,
  openBlobStore,
  openFileStore,
} from '../pipeline/storage/open-blob-store.ts';
import { ScratchBlobStore } from '../pipeline/storage/scratch-blob-store.ts';
import type { MasterConfig, MasterOptions } from './config.ts';
import { masterConfig } from './config.ts';
import { Assemblies } from './aggregator/assemblies.ts';
import { Coordinator } from './driver/coordinator.ts';
import { WorkerRegistry } from './driver/worker-registry.ts';
import { GarbageCollector } from './housekeeping/garbage-collector.ts';
import { Housekeeper } from './housekeeping/housekeeper.ts';
import { IngestThreads } from './ingest/ingest-threads.ts';
import { HTTP_DEFAULTS } from './http/http-config.ts';
import { LocalMasterService } from './master-service.ts';
import { blobPlace } from './blob-place.ts';
import { launchOf, masterLog, startLocalQueue } from './local-queue.ts';
import { LocalWorkers } from './queue/local-workers.ts';
import type { MasterService } from './service.ts';
import { lockDataDir } from './storage/data-lock.ts';
import { SqliteJobStore } from './storage/sqlite-job-store.ts';

export interface RunningMaster {
  readonly service: MasterService;
  readonly config: MasterConfig;
  /** Where the dashboard and the API are; '' when not listening. */
  readonly url: string;
  readonly workerToken: string;
  /** Stops taking requests, drains the workers, and closes the stores. */
  close(): Promise<void>;
}

const VERSION = '0.1.0';

/** What takes as long to start as the master, and may start while that is loaded. */
export interface StartedBefore {
  readonly ingestThreads?: IngestThreads;
  /** The embedded queue, with its workers. */
  readonly queue?: TaskProducer;
}

/** What `close` undoes, last started first. */
type Closer = () => Promise<void> | void;

/**
 * Starts a master with everything embedded that the options do not put elsewhere. It closes what was
 * started before, which must be of the same configuration.
 */
export async function startMaster(
  options: MasterOptions = {},
  started: StartedBefore = {},
): Promise<RunningMaster> {
  const config = masterConfig(options);
  const log = masterLog(config);
  const closers: Closer[] = [started.ingestThreads, started.queue]
    .filter((part) => part !== undefined)
    .map((part) => () => part.close());
  const close = async () => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  try {
    return await assemble({ config, started, log }, closers, close);
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

interface Given {
  readonly config: MasterConfig;
  readonly started: StartedBefore;
  readonly log: Logger;
}

async function assemble(
  given: Given,
  closers: Closer[],
  close: () => Promise<void>,
): Promise<RunningMaster> {
  const { config, started, log } = given;
  // A folder that goes with this process is nobody else's.
  if (config.durable) closers.push(lockDataDir(config.dataDir));
  const place = blobPlace(config);
  const blobs = await openBlobs(place, closers);
  const ingestThreads = started.ingestThreads ?? openThreads(place, closers);
  // What is gone with this process anyway is not written.
  const file = config.durable ? path.join(config.dataDir, 'jobs.sqlite') : ':memory:';
  const store = new SqliteJobStore(file);
  closers.push(() => store.close());

  const now = () => Date.now();
  const steadyNow = () => performance.now();
  const workers = new WorkerRegistry(now);
  const assemblies = new Assemblies({ store, blobs, now, trusts: !blobs.isDurable });
  const queue = await openQueue(given, closers);
  const coordinator = new Coordinator({ store, blobs, queue, workers, assemblies, now, log });
  await coordinator.start();
  closers.push(() => coordinator.close());
  const deps = {
    ...{ store, blobs, queue, workers, assemblies, coordinator, ingestThreads, now, log },
    uploads: {
      dir: path.join(config.dataDir, 'uploads'),
      expiryMs: config.uploadExpiryMs,
      readerIdleMs: LIMITS.uploadReaderIdleMs,
    },
  };
  const collector = new GarbageCollector({
    ...{ store, blobs, now: steadyNow, graceMs: config.sweepGraceMs },
  });
  const housekeeper = new Housekeeper({
    ...{ store, collector, now, steadyNow, log },
    ...{ everyMs: config.sweepMs, graceMs: config.sweepGraceMs },
    retention: { forMs: config.retentionMs, jobs: config.keepJobs },
  });
  const service = new LocalMasterService({ ...deps, housekeeping: housekeeper.counts });
  await service.resumable.start();
  closers.push(() => service.resumable.close());
  if (config.durable) housekeeper.start((job) => service.expire(job));
  closers.push(() => housekeeper.close());
  const url = config.listen ? await listen(config, service, log, closers) : '';
  return { service, config, url, workerToken: config.workerToken, close };
}

/** The store, after a look that says whether it can be reached. */
async function openBlobs(place: BlobPlace, closers: Closer[]): Promise<IngestBlobStore> {
  if (place.kind === 'file') {
    makeFolder(place.dir);
    const blobs = openFileStore(place);
    if (blobs instanceof ScratchBlobStore) closers.push(() => blobs.close());
    else await blobs.removeTemporaries();
    return blobs;
  }
  const blobs = await openBlobStore(place);
  await blobs.list('contexts/')[Symbol.asyncIterator]().next();
  return blobs;
}

function openThreads(place: BlobPlace, closers: Closer[]): IngestThreads {
  const threads = new IngestThreads(place);
  closers.push(() => threads.close());
  return threads;
}

async function openQueue(
  { config, started, log }: Given,
  closers: Closer[],
): Promise<TaskProducer> {
  if (config.broker === null) {
    const queue = started.queue ?? startLocalQueue(config, log);
    // Before the store, which what its workers tell to the last goes to; again does nothing.
    closers.push(() => queue.close());
    return queue;
  }
  const broker = { url: config.broker, prefix: config.queuePrefix };
  const { AmqpProducer } = await import('./queue/amqp-producer.ts');
  const queue = await AmqpProducer.connect({ ...broker, log });
  closers.push(() => queue.close());
  const local = new LocalWorkers({ ...launchOf(config, log), broker });
  closers.push(() => local.close());
  local.start(config.workers);
  return queue;
}

async function listen(
  config: MasterConfig,
  service: MasterService,
  log: Logger,
  closers: Closer[],
): Promise<string> {
  // A run of one file listens nowhere, and is not to wait for a web server to be loaded.
  const { buildServer } = await import('./http/server.ts');
  const server = buildServer({
    service,
    config: {
      ...HTTP_DEFAULTS,
      tokens: config.tokens,
      workerToken: config.workerToken,
      hosts: [config.host],
      dashboardFolder: fileURLToPath(builtFile('dashboard')),
      version: VERSION,
    },
    logger: log,
  });
  closers.push(() => server.close());
  try {
    return await server.listen({ host: config.host, port: config.port });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw thrown;
    throw new SluiceError(
      'usage',
      `port ${config.port} is in use: stop what listens there, or choose another with --port N`,
      { cause: thrown, details: { port: config.port } },
    );
  }
}
