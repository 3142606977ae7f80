import { spawn } from 'node:child_process';
import path from 'node:path';
import type { SubjectReport, Task } from './assignment.ts';
import { watchTree, type TreeUsage } from './process-tree.ts';
import type { Subject } from './subjects.ts';

export interface Run extends TreeUsage {
  readonly ms: number;
}

export interface RunRequest {
  readonly subject: Subject;
  readonly task: Task;
  readonly dataset: string;
  readonly file: string;
  readonly output: string;
  /** Cores to be used: threads of the peers, worker processes of Sluice. */
  readonly threads: number;
  readonly broker: string | null;
}

/** One run of one subject in a fresh process. Throws with what it wrote to stderr when it fails. */
export async function measure(request: RunRequest): Promise<Run> {
  const { subject, task, dataset, file, output, threads, broker } = request;
  const script = path.join(import.meta.dirname, 'subjects', `${subject.script}.js`);
  const args = [script, task, dataset, file, output, String(threads)];
  if (subject.needsBroker && broker !== null) args.push(broker);
  const startedMs = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const tree = watchTree(child.pid ?? -1);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const wholeMs = performance.now() - startedMs;
  const usage = tree.stop();
  if (code !== 0) throw new Error(`${subject.name} failed (${code}): ${stderr.trim()}`);
  const { ms } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as SubjectReport;
  return { ms: ms ?? wholeMs, ...usage };
}
