import { spawn } from 'node:child_process';
import { parseDuration } from '../master/housekeeping/retention.ts';
import { startMaster, type RunningMaster } from '../master/main.ts';
import { EXIT, type ExitCode } from './failure.ts';
import { makeDataFolder } from './writable.ts';

export interface ServeFlags {
  readonly port?: number;
  readonly host?: string;
  readonly data?: string;
  readonly workers?: number;
  readonly broker?: string;
  readonly store?: string;
  readonly retention?: string;
  readonly keep?: number;
  readonly open?: boolean;
}

/** `sluice serve`: dashboard, API and workers, until the signal. */
export async function serve(flags: ServeFlags, signal: AbortSignal): Promise<ExitCode> {
  const { port, host, data, workers, broker, store, retention, keep } = flags;
  if (data !== undefined) makeDataFolder(data);
  const master = await startMaster({
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(data === undefined ? {} : { dataDir: data }),
    ...(workers === undefined ? {} : { workers }),
    ...(broker === undefined ? {} : { broker }),
    ...(store === undefined ? {} : { store }),
    ...(retention === undefined ? {} : { retentionMs: parseDuration(retention, '--retention') }),
    ...(keep === undefined ? {} : { keepJobs: keep }),
  });
  process.stdout.write(renderWelcome(master));
  if (flags.open === true) openBrowser(master.url);
  await untilAborted(signal);
  process.stdout.write('\nstopping: workers finish the chunks they hold\n');
  await master.close();
  return EXIT.done;
}

/** One screen: where to look, what is running, what to try. */
export function renderWelcome({ url, config, service }: RunningMaster): string {
  const queue = service.workers().queue;
  const queueText =
    queue.kind === 'in-process' ? 'in this process' : `RabbitMQ at ${queue.address}`;
  const token = config.tokens.length === 0 ? '' : ' -H "Authorization: Bearer $SLUICE_TOKEN"';
  const workers = config.workers === 1 ? '1 process' : `${config.workers} processes`;
  return `
  Sluice is ready.

    Dashboard   ${url}
    API         ${url}/api/docs
    Data        ${config.dataDir}
    Queue       ${queueText}
    Workers     ${workers}

  Try
    curl -T data.csv${token} "${url}/api/jobs?name=data.csv"    upload a file
    npx sluice run data.csv -o clean.csv    one file, without this server
    npx sluice sniff data.csv               delimiter, header, types, first records

  More machines
    npx sluice serve --broker amqp://user:password@host
    npx sluice worker NAME --master ${url} --broker amqp://user:password@host
                                            with SLUICE_WORKER_TOKEN set to the same text on both

  Ctrl+C stops. Unfinished jobs go on at the next start.
`;
}

/** Best effort: no browser is no reason to fail. */
function openBrowser(url: string): void {
  const opener = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open';
  const child = spawn(opener, [url], { detached: true, stdio: 'ignore' });
  child.on('error', () => {
    process.stderr.write(`no browser could be opened; go to ${url}\n`);
  });
  child.unref();
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
