import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { toSluiceError } from '../pipeline/errors.ts';
import { describeFailure, EXIT, exitCodeFor, type ExitCode } from './failure.ts';
import type { JobFlags } from './job.ts';
import type { JobsFlags } from './jobs.ts';
import { readPlan, type PlanFlags } from './plan-source.ts';
import type { ProfileFlags } from './profile.ts';
import type { RunFlags } from './run.ts';
import type { ServeFlags } from './serve.ts';
import type { SniffFlags } from './sniff.ts';
import type { VerifyFlags } from './verify.ts';
import type { WorkerFlags } from './worker.ts';
import { reasonOf } from './writable.ts';

const interrupt = new AbortController();
/** Why standard output took no more; found out behind the command that wrote to it. */
let outputFault: Error | null = null;

// Sockets kept alive by fetch would hold the process for seconds after its work is done.
void main().then((exitCode) => process.exit(exitCode === EXIT.done ? outputExit() : exitCode));

function outputExit(): ExitCode {
  if (outputFault === null) return EXIT.done;
  process.stderr.write(`sluice: standard output cannot be written: ${reasonOf(outputFault)}\n`);
  return EXIT.failed;
}

async function main(): Promise<ExitCode> {
  listenForSignals();
  let flags: PlanFlags = {};
  let exitCode: ExitCode = EXIT.done;
  const program = buildProgram((given, code) => {
    flags = given;
    exitCode = code;
  });
  try {
    await program.parseAsync();
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (interrupt.signal.aborted) return EXIT.interrupted;
    const plan = await readPlan(flags).catch(() => null);
    const error = toSluiceError(thrown);
    process.stderr.write(`${describeFailure(error, plan)}\n`);
    if (error.code === 'internal' && thrown instanceof Error) {
      process.stderr.write(`${thrown.stack ?? ''}\n`);
    }
    return isEnvironment(error.details) ? EXIT.failed : exitCodeFor(error.code);
  }
}

/** A port that is taken is no wrong usage, though its remedy is another flag. */
function isEnvironment(details: Readonly<Record<string, unknown>>): boolean {
  return 'port' in details;
}

/** The first signal ends the work in order, the second at once. */
function listenForSignals(): void {
  const stop = (): void => {
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
    interrupt.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `sluice run ... | head`: the reader has what it wanted.
    if (error.code !== 'EPIPE') outputFault ??= error;
  });
}

type Settle = (planFlags: PlanFlags, exitCode: ExitCode) => void;

/** Each command loads what it needs when it is called: a start costs more than most commands do. */
function buildProgram(settle: Settle): Command {
  const program = new Command('sluice')
    .description('Streams big CSV, TSV, NDJSON and JSON files through many workers.')
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  addServerCommands(program, settle);
  addFileCommands(program, settle);
  addJobCommands(program, settle);
  return program;
}

function addServerCommands(program: Command, settle: Settle): void {
  program
    .command('serve')
    .description('dashboard, API and workers')
    .option('--port <port>', 'port to listen on (default: 5001)', wholeNumber)
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--data <dir>', 'data folder (default: .sluice)')
    .option('--workers <n>', 'worker processes (default: one per core)', wholeNumber)
    .option('--broker <url>', 'RabbitMQ, as amqp://user:password@host')
    .option('--store <url>', 'keep chunks and results in s3://bucket/prefix')
    .option('--retention <duration>', 'delete finished jobs after so long, such as 30d')
    .option('--keep <n>', 'keep only the newest finished jobs', wholeNumber)
    .option('--open', 'open the dashboard in a browser')
    .action(async (flags: ServeFlags) => {
      const { serve } = await import('./serve.ts');
      settle({}, await serve(flags, interrupt.signal));
    });
  program
    .command('worker')
    .description('a worker for a master on this or another machine')
    .argument('<name>', 'name shown in the dashboard; letters, digits, dot, dash, underscore')
    .option('--master <url>', 'where the master is')
    .option('--store <url>', 'where chunks and results are, as s3://bucket/prefix')
    .option('--broker <url>', 'RabbitMQ, as amqp://user:password@host')
    .action(async (name: string, flags: WorkerFlags) => {
      const { worker } = await import('./worker.ts');
      settle({}, await worker(name, flags, interrupt.signal));
    });
}

function addFileCommands(program: Command, settle: Settle): void {
  const withPlan = (command: Command): Command =>
    command
      .argument('<file>', 'file to read, - for standard input')
      .option('--plan <file>', 'plan, YAML or JSON')
      .addOption(new Option('--sql <query>', 'query over the table "input"').conflicts('plan'))
      .option('--lookup <name=path>', 'a file that it joins to (default: beside the plan)', list);
  withPlan(program.command('run').description('one file through one plan, data to stdout'))
    .option('-o, --output <file>', 'write the result here')
    .option('--rejects <file>', 'write rejected records here (.csv, else NDJSON)')
    .addOption(
      new Option('--rejects-format <format>', 'input: as they stood, to be corrected').choices([
        ...['csv', 'ndjson', 'input'],
      ]),
    )
    .option('--profile <file>', 'write the profile of the columns here (JSON)')
    .option('--manifest <file>', 'write the account of the job here (JSON)')
    .option('--data <dir>', 'keep chunks and results here, so that a second run reuses them')
    .option(
      '--workers <n>',
      'worker processes (default: one per core, as they are needed)',
      wholeNumber,
    )
    .option('--server <url>', 'run on this server instead of in this machine')
    .option('--token <token>', 'bearer token for the server')
    .option('--explain', 'print the steps, their waves and types, and run nothing')
    .option('-q, --quiet', 'no summary')
    .action(async (file: string, flags: RunFlags) => {
      settle(flags, EXIT.done);
      if (flags.explain === true) {
        const { explain } = await import('./explain.ts');
        settle(flags, await explain(file, flags));
        return;
      }
      const { run } = await import('./run.ts');
      settle(flags, await run(file, flags, interrupt.signal));
    });
  withPlan(program.command('sniff').description('dialect, header, types and first records'))
    .option('--json', 'as JSON')
    .action(async (file: string, flags: SniffFlags) => {
      settle(flags, EXIT.done);
      const { sniff } = await import('./sniff.ts');
      settle(flags, await sniff(file, flags));
    });
  withPlan(program.command('profile').description('every column of a file'))
    .option('--json', 'as JSON')
    .action(async (file: string, flags: ProfileFlags) => {
      settle(flags, EXIT.done);
      const { profile } = await import('./profile.ts');
      settle(flags, await profile(file, flags, interrupt.signal));
    });
  program
    .command('verify')
    .description('whether a file is the result that a manifest speaks of; needs no server')
    .argument('<manifest>', 'manifest of the job, JSON')
    .argument('<output>', 'the downloaded result, - for standard input')
    .option('--root <hash>', 'the root that the manifest must have')
    .option('-q, --quiet', 'no output when all is well')
    .action(async (manifest: string, output: string, flags: VerifyFlags) => {
      const { verify } = await import('./verify.ts');
      settle({}, await verify(manifest, output, flags));
    });
}

function addJobCommands(program: Command, settle: Settle): void {
  const onServer = (command: Command): Command =>
    command
      .option('--server <url>', 'the server (default: http://127.0.0.1:5001)')
      .option('--token <token>', 'bearer token for the server')
      .option('--json', 'as JSON');
  onServer(program.command('jobs').description('the newest jobs of a server'))
    .option('--status <status>', 'only jobs in this status')
    .action(async (flags: JobsFlags) => {
      const { jobs } = await import('./jobs.ts');
      settle({}, await jobs(flags));
    });
  const perJob = {
    job: async () => (await import('./job.ts')).job,
    cancel: async () => (await import('./cancel.ts')).cancel,
    retry: async () => (await import('./retry.ts')).retry,
  };
  const descriptions = {
    job: 'one job of a server',
    cancel: 'stop a job',
    retry: 'run the failed chunks of a job again',
  };
  for (const name of ['job', 'cancel', 'retry'] as const) {
    onServer(program.command(name).description(descriptions[name]))
      .argument('<id>', 'id of the job')
      .action(async (id: string, flags: JobFlags) => {
        const command = await perJob[name]();
        settle({}, await command(id, flags));
      });
  }
}

function list(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('it takes a whole number.');
  }
  return value;
}
