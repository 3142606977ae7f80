import { parseArgs } from 'node:util';
import { toSluiceError } from '../pipeline/errors.ts';
import { runWorker } from './run-worker.ts';

main().then(
  () => process.exit(0),
  (thrown: unknown) => {
    const error = toSluiceError(thrown);
    process.stderr.write(`sluice worker: ${error.message}\n`);
    process.exit(error.code === 'usage' ? 2 : 1);
  },
);

/** The process: `main.js --name NAME --broker ipc|amqp://... (--storage-dir DIR
 *  [--storage-volatile] | --store s3://... | --master URL)`. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      name: { type: 'string' },
      broker: { type: 'string' },
      'queue-prefix': { type: 'string' },
      master: { type: 'string' },
      'storage-dir': { type: 'string' },
      'storage-volatile': { type: 'boolean' },
      store: { type: 'string' },
    },
  });
  const stop = new AbortController();
  const onSignal = (): void => {
    // The second signal is meant: tasks in work are given to somebody else.
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  await runWorker({
    name: values.name ?? '',
    broker: values.broker,
    queuePrefix: values['queue-prefix'],
    master: values.master,
    storageDir: values['storage-dir'],
    store: values.store,
    storageDurable: values['storage-volatile'] !== true,
    signal: stop.signal,
  });
}
