import { runWorker } from '../worker/run-worker.ts';
import { EXIT, type ExitCode } from './failure.ts';

export interface WorkerFlags {
  readonly master?: string;
  readonly store?: string;
  readonly broker?: string;
}

/** `sluice worker`: takes tasks until the signal, then finishes the one it holds. */
export async function worker(
  name: string,
  flags: WorkerFlags,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { master, store, broker } = flags;
  await runWorker({ name, master, store, broker, signal });
  return EXIT.done;
}
