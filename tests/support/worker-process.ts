import { spawn } from 'node:child_process';
import { CLI } from './server.ts';

export interface WorkerProcess {
  readonly name: string;
  readonly pid: number;
  /** What it has written to stdout and stderr. */
  output(): string;
  /** Sends the signal and waits for the end; gives the exit code, null after SIGKILL. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export interface WorkerProcessOptions {
  readonly name: string;
  /** URL of the master. */
  readonly master: string;
  /** amqp:// URL. */
  readonly broker: string;
  readonly token: string;
  /** Command and arguments before it, for instance to run it in a network of its own. */
  readonly prefix?: readonly string[];
}

/** Starts `sluice worker` as a user would on another machine. */
export function startWorkerProcess(options: WorkerProcessOptions): WorkerProcess {
  const { name, master, broker, token } = options;
  const args = ['worker', name, '--master', master, '--broker', broker];
  const [command = '', ...rest] = [...(options.prefix ?? []), process.execPath, CLI, ...args];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'test', SLUICE_WORKER_TOKEN: token },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    name,
    pid: child.pid ?? 0,
    output: () => output,
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}
