import { runWorker } from '../worker/run-worker.ts';
import { EXIT, type ExitCode } from './failure.ts';

export interface WorkerFlags {
  readonly master: string;
  readonly broker?: string;
}

/** `sluice worker`: takes tasks until the signal, then finishes the one it holds. */
export async function worker(
  name: string,
  flags: WorkerFlags,
  signal: AbortSignal,
): Promise<ExitCode> {
  await runWorker({ name, master: flags.master, broker: flags.broker, signal });
  return EXIT.done;
}
