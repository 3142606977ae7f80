import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Job } from '../pipeline/protocol/index.ts';
import { upload, type UploadKind } from './client.ts';
import { ensureFile } from './dataset.ts';
import { DATASETS } from './datasets.ts';
import { cpuMsOf } from './process-tree.ts';
import { describeCommit, describeMachine, median } from './report.ts';
import { type BenchServer, startServer } from './server.ts';

export interface IngestOptions {
  readonly megabytes: number;
  readonly repetitions: number;
  /** The folder bench/. */
  readonly folder: string;
}

interface IngestRun {
  readonly ms: number;
  /** Of the master: HTTP, reading, cutting, hashing, writing. */
  readonly cpuMs: number;
  /** The longest that its event loop was late, and what 99 in 100 looks at it stayed under. */
  readonly delayMaxMs: number;
  readonly delayP99Ms: number;
}

const KINDS: readonly UploadKind[] = ['raw', 'multipart'];

/**
 * What taking an input costs the master: uploads to a server without workers. By the processor time of
 * its process, which says what one core can take whatever else the machine does. Both kinds must give
 * the job the same hash of the input, and the size of the file.
 */
export async function measureIngest(options: IngestOptions): Promise<void> {
  const { megabytes, repetitions, folder } = options;
  const lines: string[] = [];
  for (const dataset of DATASETS) {
    const file = await ensureFile(dataset, megabytes, path.join(folder, 'out', 'data'));
    const runs = new Map<UploadKind, IngestRun[]>(KINDS.map((kind) => [kind, []]));
    const hashes = new Set<string | null>();
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const kind of KINDS) {
        console.error(`${dataset.name} ${repetition + 1}/${repetitions} ${kind}`);
        const { job, run } = await measureUpload(file, kind);
        if (job.bytesReceived !== statSync(file).size) throw new Error('bytes are missing');
        hashes.add(job.inputHash);
        runs.get(kind)?.push(run);
      }
    }
    if (hashes.size !== 1 || hashes.has(null)) throw new Error('one file has several input hashes');
    for (const kind of KINDS) {
      lines.push(lineOf(dataset.name, kind, statSync(file).size, runs.get(kind) ?? []));
    }
  }
  const table = [
    '# Ingest',
    '',
    `Written by \`npm run bench -- --ingest\`: ${megabytes} MB over HTTP into a server without workers, ${repetitions} runs each, medians.`,
    `Commit ${describeCommit()}, Node ${process.version}, ${describeMachine()}, ${new Date().toISOString()}.`,
    "`MB/s a core` is by the processor time of the master's process; the delay is that of its event loop.",
    '',
    '| data | kind | MB/s | MB/s a core | delay p99 ms | delay max ms |',
    '| --- | --- | ---: | ---: | ---: | ---: |',
    ...lines,
    '',
  ].join('\n');
  writeFileSync(path.join(folder, 'INGEST.md'), table);
  console.log(table);
}

function lineOf(name: string, kind: UploadKind, bytes: number, runs: readonly IngestRun[]): string {
  const middle = (figure: (run: IngestRun) => number): number => median(runs.map(figure));
  const rates = [bytes / 1000 / middle(({ ms }) => ms), bytes / 1000 / middle((run) => run.cpuMs)];
  const delays = [
    middle((run) => run.delayP99Ms),
    Math.max(...runs.map(({ delayMaxMs }) => delayMaxMs)),
  ];
  const figures = [...rates, ...delays].map((figure) => figure.toFixed(0));
  return `| ${[name, kind, ...figures].join(' | ')} |`;
}

async function measureUpload(
  file: string,
  kind: UploadKind,
): Promise<{ job: Job; run: IngestRun }> {
  const server = await startServer(0);
  try {
    // Asking for the metrics starts the count of the event loop's delay anew.
    await eventLoopDelay(server);
    const cpuBeforeMs = cpuMsOf(server.pid);
    const startedMs = performance.now();
    const job = await upload(server.url, file, '', kind);
    const ms = performance.now() - startedMs;
    const cpuMs = cpuMsOf(server.pid) - cpuBeforeMs;
    return { job, run: { ms, cpuMs, ...(await eventLoopDelay(server)) } };
  } finally {
    await server.stop();
  }
}

async function eventLoopDelay(
  server: BenchServer,
): Promise<Pick<IngestRun, 'delayMaxMs' | 'delayP99Ms'>> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const valueOf = (name: string): number => {
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    if (line === undefined) throw new Error(`the server has no metric ${name}`);
    return Number(line.slice(name.length + 1)) * 1000;
  };
  return {
    delayMaxMs: valueOf('nodejs_eventloop_lag_max_seconds'),
    delayP99Ms: valueOf('nodejs_eventloop_lag_p99_seconds'),
  };
}
