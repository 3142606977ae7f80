import { spawn } from 'node:child_process';
import path from 'node:path';
import type { SubjectReport, Task } from './assignment.ts';
import { watchTree, type TreeUsage } from './process-tree.ts';
import type { Subject } from './subjects.ts';

export interface Run extends TreeUsage {
  readonly ms: number;
  /** Processor time of a pass, where there were several. */
  readonly passCpuMs: number | null;
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
  /** Built bench, where it is not this one. */
  readonly folder?: string;
  /** How often the work is to be done in the process; once when left out. */
  readonly passes?: number;
}

/** One run of one subject in a fresh process. Throws with what it wrote to stderr when it fails. */
export async function measure(request: RunRequest): Promise<Run> {
  const { subject, task, dataset, file, output, threads, broker } = request;
  const { folder = path.join(import.meta.dirname, '..', 'bench'), passes = 1 } = request;
  const script = path.join(folder, 'subjects', `${subject.script}.js`);
  const args = [script, task, dataset, file, output, String(threads)];
  args.push(subject.needsBroker ? (broker ?? '') : '', String(passes));
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
  const { ms, passCpuMs } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as SubjectReport;
  return { ms: ms ?? wholeMs, passCpuMs: passCpuMs ?? null, ...usage };
}
