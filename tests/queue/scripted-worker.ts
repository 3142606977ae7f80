import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { ChunkStatistics, Delivery, Verdict } from '../../pipeline/protocol/index.ts';
import type { TaskConsumer } from '../../pipeline/protocol/index.ts';
import { AmqpConsumer } from '../../worker/queue/amqp-consumer.ts';
import { InProcessConsumer } from '../../worker/queue/in-process-consumer.ts';
import { endWithMaster, masterPort } from '../../worker/queue/master-port.ts';

/**
 * A worker process that does what the task's jobId says:
 * `ok` | `slow-MS` announce a result, ack · `tell-MS` tells that it begins, then as `slow` ·
 * `hang-first` announces, then hangs unless redelivered ·
 * `die` ends the process · `requeue` | `drop` verdicts · `throw` rejects.
 * An announcement's `ms` is the number of tasks this process held at once at most so far.
 */
const { values } = parseArgs({
  options: {
    name: { type: 'string', default: '' },
    broker: { type: 'string' },
    'queue-prefix': { type: 'string', default: 'sluice' },
    'storage-dir': { type: 'string' },
  },
});

const PREFETCH = 2;
const NOTHING: ChunkStatistics = {
  recordsIn: 0,
  recordsOut: 0,
  rejected: 0,
  filtered: 0,
  deduplicated: 0,
  aggregated: 0,
  lines: 0,
  bytesIn: 0,
  outputRecords: 0,
  outputBytes: 0,
};

let heldCount = 0;
let heldMax = 0;
const end = new AbortController();
const consumer = await connect();
await consumer.consume(handle, PREFETCH);
process.once('SIGTERM', () => end.abort());
if (!end.signal.aborted) {
  await new Promise((resolve) => end.signal.addEventListener('abort', resolve, { once: true }));
}
await consumer.close();
process.exit(0);

async function connect(): Promise<TaskConsumer> {
  const port = masterPort();
  if (port === null) throw new Error('started without a channel');
  endWithMaster(port, () => end.abort());
  const prefix = values['queue-prefix'];
  const url = process.env['SLUICE_BROKER'];
  if (values.broker !== 'ipc' && url !== undefined) {
    // As many deliveries as the master was told; the topology must agree.
    const deliveryLimit = Number(prefix.split('-').at(-1));
    const log = pino({ level: 'silent' });
    return await AmqpConsumer.connect({ url, name: values.name, prefix, deliveryLimit, log });
  }
  // Handlers that reject are part of the script.
  return new InProcessConsumer(port, () => {});
}

async function handle(delivery: Delivery): Promise<Verdict> {
  heldMax = Math.max(heldMax, ++heldCount);
  try {
    return await perform(delivery);
  } finally {
    heldCount--;
  }
}

async function perform({ task, redelivered }: Delivery): Promise<Verdict> {
  const [script = '', argument = '0'] = task.jobId.split(/-(?=\d)/);
  const { taskKey, jobId, chunkIndex, attempt } = task;
  const address = { v: 1, taskKey, jobId, chunkIndex, attempt, worker: values.name } as const;
  switch (script) {
    case 'die':
      process.kill(process.pid, 'SIGKILL');
      await sleep(60_000);
      return 'requeue';
    case 'requeue':
      return 'requeue';
    case 'drop':
      return 'drop';
    case 'throw':
      throw new Error('as the script says');
    case 'tell':
    case 'hang-first': {
      if (redelivered) break;
      const error = { code: 'internal', message: 'begun', details: { pid: process.pid } };
      await consumer.announce({ ...address, kind: 'failure', ms: 0, retryable: true, error });
      if (script === 'hang-first') await sleep(60_000);
      break;
    }
  }
  await sleep(Number(argument));
  await consumer.announce({
    ...address,
    kind: 'result',
    reused: redelivered,
    ms: heldMax,
    statistics: NOTHING,
    resultBytes: 0,
  });
  return 'ack';
}
