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
  /** Where chunks and results are: `--master URL`, or `--store s3://...`. */
  readonly storage: readonly ['--master' | '--store', string];
  /** amqp:// URL. */
  readonly broker: string;
  /** Beside this process's own: a token, or credentials. */
  readonly env: Readonly<Record<string, string>>;
  /** Command and arguments before it, for instance to run it in a network of its own. */
  readonly prefix?: readonly string[];
}

/** Starts `sluice worker` as a user would on another machine. */
export function startWorkerProcess(options: WorkerProcessOptions): WorkerProcess {
  const { name, storage, broker, env } = options;
  const args = ['worker', name, ...storage, '--broker', broker];
  const [command = '', ...rest] = [...(options.prefix ?? []), process.execPath, CLI, ...args];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'test', ...env },
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
