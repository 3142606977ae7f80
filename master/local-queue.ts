import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Logger, pino } from 'pino';
import { builtFile } from '../pipeline/built-files.ts';
import type { BlobPlace } from '../pipeline/storage/open-blob-store.ts';
import type { MasterConfig } from './config.ts';
import { InProcessProducer } from './queue/in-process-producer.ts';
import type { WorkerLaunch } from './queue/worker-launch.ts';

/** The embedded queue, its workers started, or as many as `atOnce` says. */
export function startLocalQueue(
  config: MasterConfig,
  log = masterLog(config),
  atOnce = config.workers,
): InProcessProducer {
  const queue = new InProcessProducer({ ...launchOf(config), log });
  queue.startWorkers(config.workers, atOnce);
  return queue;
}

/** How the workers beside this master are started. */
export function launchOf(config: MasterConfig): WorkerLaunch {
  return {
    workerEntry: fileURLToPath(builtFile('worker/main.js')),
    storage: blobPlace(config),
  };
}

/** Where chunks and results are. */
export function blobPlace({ dataDir, durable, s3 }: MasterConfig): BlobPlace {
  if (s3 !== null) return { kind: 's3', location: s3 };
  return { kind: 'file', dir: path.join(dataDir, 'blobs'), durable };
}

/** stdout is for data. */
export function masterLog({ logLevel }: MasterConfig): Logger {
  return pino({ level: logLevel, name: 'master' }, pino.destination(2));
}
