import { writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { SluiceError } from '../pipeline/errors.ts';
import { FINAL_STATUSES, type Job } from '../pipeline/protocol/index.ts';
import { serverFrom, type ServerFlags } from './config.ts';
import { embeddedRunner } from './embedded-runner.ts';
import { describeJobError, EXIT, exitCodeFor, type ExitCode, type PlanText } from './failure.ts';
import { formatBytes } from './figures.ts';
import { type InputSource, openInput } from './input-source.ts';
import { firstFailedChunk, waitForEnd, type JobRunner } from './job-runner.ts';
import { type OutputFile, outputFile } from './output-file.ts';
import { planFolder, readPlan, type PlanFlags } from './plan-source.ts';
import { ProgressBar } from './progress-bar.ts';
import { writeRejects, type RejectsFormat } from './reject-file.ts';
import { serverRunner } from './server-runner.ts';
import { firstReject, summaryLines } from './summary.ts';
import { assertWritable } from './writable.ts';

export interface RunFlags extends PlanFlags, ServerFlags {
  readonly output?: string;
  readonly rejects?: string;
  readonly rejectsFormat?: RejectsFormat;
  readonly profile?: string;
  readonly manifest?: string;
  readonly data?: string;
  readonly workers?: number;
  readonly quiet?: boolean;
  /** Say what would be done, and do nothing. */
  readonly explain?: boolean;
}

/** `sluice run`: one file through one plan; data to stdout or a file, everything else to stderr. */
export async function run(file: string, asked: RunFlags, signal: AbortSignal): Promise<ExitCode> {
  const flags = checkedFlags(asked);
  const given = await readPlan(flags);
  const input = await openInput(file);
  const output = flags.output === undefined ? null : await outputFile(flags.output);
  const runner = await openRunner(flags);
  const startedMs = Date.now();
  try {
    // What knows plans is loaded while the workers start.
    const { withOutputFormat } = await import('./output-format.ts');
    const plan = { ...given, text: withOutputFormat(given.text, flags.output) };
    const ended = await runJob(runner, { input, output, plan, flags }, signal);
    if (ended === 'reader gone') return EXIT.done;
    if (flags.quiet !== true) {
      const ms = isCompleted(ended) ? Date.now() - startedMs : null;
      for (const line of summaryLines(ended, ms)) process.stderr.write(line);
      if (flags.rejects === undefined) process.stderr.write(await firstReject(runner, ended));
    }
    return await reportEnd(runner, ended, plan);
  } finally {
    await runner.close();
  }
}

/**
 * `-o -` is standard output, as it is without `-o`; which is for nothing else. Throws `usage`, also where
 * a report could not be written in the end.
 */
function checkedFlags({ output, ...flags }: RunFlags): RunFlags {
  for (const name of ['rejects', 'profile', 'manifest'] as const) {
    const file = flags[name];
    if (file !== undefined && file !== '-') assertWritable(file);
    if (file !== '-') continue;
    throw new SluiceError('usage', `--${name} - : name a file, standard output is for the result`);
  }
  if (flags.workers === 0) throw new SluiceError('usage', '--workers 0: a run needs one at least');
  return output === undefined || output === '-' ? flags : { ...flags, output };
}

function openRunner(flags: RunFlags): Promise<JobRunner> | JobRunner {
  if (flags.server !== undefined) return serverRunner(serverFrom(flags));
  return embeddedRunner({
    ...(flags.data === undefined ? {} : { dataDir: flags.data }),
    ...(flags.workers === undefined ? {} : { workers: flags.workers }),
  });
}

interface RunRequest {
  readonly input: InputSource;
  /** Null for standard output. */
  readonly output: OutputFile | null;
  readonly plan: PlanText;
  readonly flags: RunFlags;
}

/** Runs the job to its end and writes every file that was asked for. */
async function runJob(
  runner: JobRunner,
  { input, output, plan, flags }: RunRequest,
  interrupted: AbortSignal,
): Promise<Job | 'reader gone'> {
  const readerGone = new AbortController();
  const signal = AbortSignal.any([interrupted, readerGone.signal]);
  const bar = new ProgressBar(process.stderr);
  let id: string | null = null;
  let bytesSent = 0;
  let latest: Job | null = null;
  bar.start(() => {
    if (id !== null)
      void runner.job(id).then(
        (job) => (latest = job),
        () => undefined,
      );
    const state = latest ?? WAITING;
    return { ...state, bytesReceived: bytesSent, bytesTotal: input.bytesTotal };
  });
  try {
    const { lookupSources } = await import('./lookup-source.ts');
    const lookups = lookupSources(plan.text, planFolder(flags), flags.lookup ?? []);
    const submission = {
      ...{ input, plan: plan.text, lookups },
      profile: isKept(flags) || flags.profile !== undefined,
      onBytes: (bytes: number) => (bytesSent = bytes),
      onStall: (reason: unknown) => flags.quiet !== true && tellStall(reason, bytesSent),
    };
    const submitted = await runner.submit(submission, signal);
    const jobId = submitted.id;
    id = jobId;
    const copied = copyResult(runner, jobId, output, signal).catch((error: unknown) => {
      if (isBrokenPipe(error)) readerGone.abort();
      throw error;
    });
    const [received, written] = await Promise.allSettled([submitted.received, copied]);
    if (readerGone.signal.aborted) {
      await runner.cancel(jobId).catch(() => undefined);
      return 'reader gone';
    }
    interrupted.throwIfAborted();
    const job = await waitForEnd(runner, jobId, isFinal, signal);
    if (isCompleted(job)) {
      if (received.status === 'rejected') throw received.reason;
      if (written.status === 'rejected') throw written.reason;
    }
    await writeReports(runner, job, flags);
    await output?.settle(isCompleted(job));
    return job;
  } catch (error) {
    if (id !== null) await runner.cancel(id).catch(() => undefined);
    await output?.settle(false);
    throw error;
  } finally {
    bar.stop();
  }
}

function tellStall(reason: unknown, bytesSent: number): void {
  const text =
    reason === null
      ? `connected again, going on at ${formatBytes(bytesSent)}`
      : `the connection is lost, trying again: ${reason instanceof Error ? reason.message : ''}`;
  process.stderr.write(`${process.stderr.isTTY ? '\n' : ''}sluice: ${text}\n`);
}

/** Whether the job can be looked at after this run. */
function isKept({ data, server }: RunFlags): boolean {
  return data !== undefined || server !== undefined;
}

const WAITING = { bytesProcessed: 0, recordsIn: 0, status: 'receiving' } as const;

function isFinal(job: Job): boolean {
  return FINAL_STATUSES.includes(job.status);
}

function isCompleted(job: Job): boolean {
  return job.status === 'completed' || job.status === 'completed_with_failures';
}

async function copyResult(
  runner: JobRunner,
  id: string,
  output: OutputFile | null,
  signal: AbortSignal,
): Promise<void> {
  if (output !== null) await output.write(await runner.lend(id, signal));
  else await pipeline(await runner.follow(id, signal), process.stdout, { end: false, signal });
}

function isBrokenPipe(error: unknown): boolean {
  const code: unknown = (error as { code?: unknown }).code;
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

async function writeReports(runner: JobRunner, job: Job, flags: RunFlags): Promise<void> {
  const asFile = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const { rejects, rejectsFormat } = flags;
  if (rejects !== undefined) {
    await writeRejects(rejects, runner.rejects(job.id), job, rejectsFormat);
  }
  if (!isCompleted(job)) return;
  if (flags.profile !== undefined) {
    await writeFile(flags.profile, asFile(await runner.profile(job.id)));
  }
  if (flags.manifest !== undefined) {
    await writeFile(flags.manifest, asFile(await runner.manifest(job.id)));
  }
}

async function reportEnd(runner: JobRunner, job: Job, plan: PlanText): Promise<ExitCode> {
  if (job.status === 'completed') return EXIT.done;
  if (job.status === 'completed_with_failures' && job.chunks.failed > 0) {
    const first = await firstFailedChunk(runner, job.id);
    const reason = first?.error == null ? '' : ` (chunk ${first.index}: ${first.error.message})`;
    process.stderr.write(
      `sluice: ${job.chunks.failed} of the chunks failed on every attempt; ` +
        `the output lacks their records${reason}\n`,
    );
    return EXIT.failed;
  }
  const error = job.error ?? {
    code: 'internal',
    message: `the job ended as ${job.status}`,
    details: {},
  };
  process.stderr.write(`${describeJobError(error, plan)}\n`);
  return exitCodeFor(error.code);
}
