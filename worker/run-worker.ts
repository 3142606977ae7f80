import { hostname } from 'node:os';
import { type Logger, destination, pino } from 'pino';
import { SluiceError } from '../pipeline/errors.ts';
import { createChunkProgram } from '../pipeline/execution/chunk-program.ts';
import { openBlobStore } from '../pipeline/storage/open-blob-store.ts';
import { type WorkerConfig, type WorkerSettings, workerConfig } from './config.ts';
import { loadKernel } from './kernel.ts';
import { ProgramCache } from './program-cache.ts';
import { InProcessConsumer } from './queue/in-process-consumer.ts';
import { endWithMaster, masterPort } from './queue/master-port.ts';
import { HttpBlobStore } from './storage/http-blob-store.ts';
import type { WorkerBlobs } from './storage/worker-blobs.ts';
import { Worker, mismatchOf, type WorkerEvent } from './worker.ts';
import type { TaskConsumer } from '../pipeline/protocol/index.ts';

export interface RunWorkerOptions extends WorkerSettings {
  /** Ends the worker: it finishes what it computes first. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a worker until it is told to end, by `signal` or by the master whose child it is. Errors at
 * start: `usage`, `broker-unavailable`, `master-unavailable`, `unauthorized`, `forbidden`; later
 * `engine-mismatch`.
 */
export async function runWorker(options: RunWorkerOptions): Promise<void> {
  const config = workerConfig(options);
  const log = pino({ level: config.logLevel, name: config.name }, destination(2));
  const end = new AbortController();
  const kernel = loadKernel();
  const blobs = await blobsOf(config);
  // A wrong address, token or bucket shows now, and not with the first task.
  if (config.storage.kind !== 'file') await blobs.has('contexts/none');
  const consumer = await consumerOf(config, log, () => end.abort());
  const logEvent = logWorkerEvents(log);
  let unfit: SluiceError | null = null;
  const worker = new Worker({
    name: config.name,
    host: hostname(),
    pid: process.pid,
    consumer,
    blobs,
    programs: new ProgramCache(blobs, (context, lookups) =>
      createChunkProgram(context, kernel, lookups),
    ),
    onEvent: (event) => {
      logEvent(event);
      unfit ??= mismatchOf(event);
      if (unfit !== null) end.abort();
    },
    residentBytes: () => process.memoryUsage.rss(),
  });
  const ended = AbortSignal.any([end.signal, ...(options.signal ? [options.signal] : [])]);
  const toldToEnd = new Promise<void>((resolve) => {
    if (ended.aborted) resolve();
    else ended.addEventListener('abort', () => resolve(), { once: true });
  });
  await worker.start();
  await toldToEnd;
  await worker.stop();
  if (unfit !== null) throw unfit as SluiceError;
}

async function blobsOf({ storage }: WorkerConfig): Promise<WorkerBlobs> {
  return storage.kind === 'http' ? new HttpBlobStore(storage) : await openBlobStore(storage);
}

async function consumerOf(
  { name, broker }: WorkerConfig,
  log: Logger,
  end: () => void,
): Promise<TaskConsumer> {
  const port = masterPort();
  if (port !== null) endWithMaster(port, end);
  if (broker.kind === 'amqp') {
    const { url, prefix } = broker;
    // Only where there is a broker: a worker starts in half the time without its client.
    const { AmqpConsumer } = await import('./queue/amqp-consumer.ts');
    return await AmqpConsumer.connect({ url, prefix, name, log });
  }
  if (port === null) {
    throw new SluiceError('usage', '--broker ipc is for processes that a master started');
  }
  return new InProcessConsumer(port, (err) => log.error({ err }, 'queue fault'));
}

function logWorkerEvents(log: Logger): (event: WorkerEvent) => void {
  return (event) => {
    if (event.kind === 'status-failed') {
      log.debug({ err: event.error }, 'heartbeat not sent');
      return;
    }
    const { jobId, chunkIndex, attempt } = event.task;
    const { outcome } = event;
    const bindings = { jobId, chunkIndex, attempt };
    if (outcome.kind === 'failed') {
      // What is wrong with an input is told to its owner, and is no fault of the worker.
      const level = outcome.error.code === 'input-malformed' ? 'info' : 'warn';
      log[level]({ ...bindings, err: outcome.error }, 'task failed');
    } else if (outcome.kind === 'returned') {
      log.info({ ...bindings, err: outcome.error }, 'task given back');
    } else log.debug({ ...bindings, outcome: outcome.kind }, 'task done');
  };
}
