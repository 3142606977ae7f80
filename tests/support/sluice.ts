import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { CLI } from './server.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs the built command line to its end, with `input` on its standard input. */
export async function sluice(
  args: readonly string[],
  input?: Buffer,
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (part: Buffer) => stdout.push(part));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A command that refuses its arguments closes its input before it is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout: Buffer.concat(stdout), stderr };
}

/** SHA-256 of what an undisturbed `sluice run` makes of the file. */
export async function sha256OfRun(file: string): Promise<string> {
  const { code, stdout, stderr } = await sluice(['run', file, '--quiet']);
  if (code !== 0) throw new Error(stderr);
  return createHash('sha256').update(stdout).digest('hex');
}
