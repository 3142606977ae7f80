import type { ChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { ProgramCache } from '../../worker/program-cache.ts';
import { Worker, mismatchOf } from '../../worker/worker.ts';
import { overNetwork } from './sim-network.ts';
import { ProcessEnded } from './sim-process.ts';
import type { SimProcess } from './sim-process.ts';
import { CRASHES_WORKER, FAILS_LATER, FAILS_PROGRAM, programOf } from './workload.ts';
import type { World } from './world.ts';

const STALE_ENGINE = 'sluice-engine-0';

export interface SimWorker {
  readonly process: SimProcess;
  readonly worker: Worker;
}

/** One life of a worker: the production worker on a simulated queue, store and clock. */
export function startWorker(world: World, process: SimProcess, isStale: boolean): SimWorker {
  const view = overNetwork(world.disk.view(process), process);
  const blobs = world.wrappers.workerBlobs?.(view, process) ?? view;
  const queue = world.broker.consumer(process);
  const worker = new Worker({
    ...{ name: process.name, host: 'sim', pid: 1, blobs },
    consumer: world.wrappers.consumer?.(queue, process) ?? queue,
    programs: isStale
      ? new ProgramCache(blobs, staleProgram, undefined, world.wrappers.staleEngine ?? STALE_ENGINE)
      : new ProgramCache(blobs, (context) => poisonable(context, process)),
    // As the worker's process does.
    onEvent: (event) => {
      if (mismatchOf(event) !== null) process.after(1, 'leaves', () => process.kill('is outdated'));
    },
    residentBytes: () => 0,
    timing: {
      now: () => world.scheduler.nowMs,
      turn: () => process.sleep(0),
      // After each batch, so that chunks are left in the midst.
      sliceMs: -1,
      after: (ms, action) => process.after(ms, 'timer', action),
      every: (ms, action) => process.every(ms, 'heartbeat', action),
    },
  });
  worker.start().catch(() => process.kill('cannot start'));
  return { process, worker };
}

/** It takes every record for one that is filtered. */
function staleProgram(context: ChunkContext): ChunkProgram {
  const program = programOf(context);
  return {
    ...program,
    *steps(bytes, slices = []) {
      const { statistics, ...rest } = program.run(bytes, slices);
      const { recordsOut, filtered } = statistics;
      const none = { recordsOut: 0, outputRecords: 0, outputBytes: 0 };
      yield;
      return {
        ...rest,
        output: [],
        statistics: { ...statistics, ...none, filtered: filtered + recordsOut },
      };
    },
  };
}

/** The production program, but that some records end the process or fail it, each time. */
function poisonable(context: ChunkContext, process: SimProcess): ChunkProgram {
  const program = programOf(context);
  return {
    ...program,
    steps: (bytes, slices = []) => {
      const text = Buffer.from(bytes);
      const isLate = context.input !== 'chunk';
      if (isLate && slices.some((slice) => Buffer.from(slice).includes(FAILS_LATER))) {
        throw new SluiceError('internal', 'a defect of the program');
      }
      if (text.includes(CRASHES_WORKER)) {
        process.kill('computed a poison chunk');
        throw new ProcessEnded();
      }
      if (text.includes(FAILS_PROGRAM))
        throw new SluiceError('internal', 'a defect of the program');
      return program.steps(bytes, slices);
    },
  };
}
