import { fileURLToPath } from 'node:url';
import { type Logger, pino } from 'pino';
import { builtFile } from '../pipeline/built-files.ts';
import { blobPlace } from './blob-place.ts';
import type { MasterConfig } from './config.ts';
import { InProcessProducer } from './queue/in-process-producer.ts';
import type { WorkerLaunch } from './queue/worker-launch.ts';

/** The embedded queue, its first workers started. */
export function startLocalQueue(config: MasterConfig, log: Logger): InProcessProducer {
  const queue = new InProcessProducer(launchOf(config, log));
  queue.startWorkers(config.workers, config.workersAtOnce);
  return queue;
}

/** How the workers beside this master are started. */
export function launchOf(config: MasterConfig, log: Logger): WorkerLaunch {
  return {
    workerEntry: fileURLToPath(builtFile('worker/main.js')),
    storage: blobPlace(config),
    log,
  };
}

/** stdout is for data. */
export function masterLog({ logLevel }: MasterConfig): Logger {
  return pino({ level: logLevel, name: 'master' }, pino.destination(2));
}
