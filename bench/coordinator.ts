import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { decide } from '../master/coordination/decide.ts';
import {
  INITIAL_JOB_STATE,
  ZERO_STATISTICS,
  type JobEvent,
  type JobState,
} from '../master/coordination/job-state.ts';
import type { JobFacts, NewChunk } from '../master/storage/job-record.ts';
import { taskWindow } from '../master/driver/task-window.ts';
import { SqliteJobStore } from '../master/storage/sqlite-job-store.ts';
import { describeCommit, describeMachine } from './report.ts';

/**
 * `npm run bench:coordinator [-- --chunks N] [--workers N,N]`: what deciding and committing cost for a
 * job of many chunks, with as many tasks out as the window of so many workers allows. No queue, no
 * network, no chunk: only what the master's main thread does for each of them.
 */
const { values } = parseArgs({
  options: {
    chunks: { type: 'string', default: '100000,1000000' },
    workers: { type: 'string', default: '10,100,1000' },
  },
});

interface Figures {
  readonly chunks: number;
  readonly workers: number;
  readonly cpuMs: number;
  readonly heapBytes: number;
  readonly databaseBytes: number;
}

const lines: string[] = [];
for (const chunks of numbersOf(values.chunks)) {
  for (const workers of numbersOf(values.workers)) {
    const { cpuMs, heapBytes, databaseBytes } = measure(chunks, workers);
    const cells = [
      ...[chunks, workers, (cpuMs / 1000).toFixed(1), ((cpuMs / chunks) * 1000).toFixed(0)],
      ...[(heapBytes / 1e6).toFixed(0), (databaseBytes / 1e6).toFixed(0)],
    ];
    lines.push(`| ${cells.join(' | ')} |`);
    console.log(lines.at(-1));
  }
}
const text = [
  '# Coordinator',
  '',
  'Written by `npm run bench:coordinator`: decisions and commits (SQLite, WAL) of one job, each once.',
  `Commit ${describeCommit()}, Node ${process.version}, ${describeMachine()}, ${new Date().toISOString()}.`,
  '',
  '| chunks | workers | CPU s | CPU µs a chunk | heap MB | database MB |',
  '| ---: | ---: | ---: | ---: | ---: | ---: |',
  ...lines,
  '',
].join('\n');
writeFileSync(path.join(import.meta.dirname, '..', '..', 'bench', 'COORDINATOR.md'), text);

function numbersOf(list: string): number[] {
  return list.split(',').map(Number);
}

function measure(chunks: number, workers: number): Figures {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-coordinator-'));
  const file = path.join(folder, 'jobs.sqlite');
  const store = new SqliteJobStore(file);
  try {
    const started = process.cpuUsage();
    const heapBytes = runJob(store, chunks, workers);
    const used = process.cpuUsage(started);
    return {
      ...{ chunks, workers, heapBytes, cpuMs: (used.user + used.system) / 1000 },
      databaseBytes: statSync(file).size,
    };
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The life of a job whose input comes as fast as it is answered. Returns the most heap seen. */
function runJob(store: SqliteJobStore, chunks: number, workers: number): number {
  const jobId = 'job';
  const { tasks: window, aheadChunks } = taskWindow(workers);
  const facts = { planText: '', warnings: [] } as unknown as JobFacts;
  const createdAt = new Date(0).toISOString();
  let state: JobState = INITIAL_JOB_STATE;
  const record = { id: jobId, name: 'job', createdAt, updatedAt: createdAt };
  store.insertJob({ ...record, idempotencyKey: null, facts, state });
  let heapBytes = 0;
  const out: { index: number; attempt: number }[] = [];
  const apply = (event: JobEvent, newChunks: NewChunk[] = []): void => {
    const decision = decide(state, event);
    if (decision.verdict !== 'taken') return;
    const { changes } = decision;
    store.commit({ jobId, updatedAt: createdAt, state: decision.state, changes, newChunks });
    state = decision.state;
    for (const effect of decision.effects) {
      if (effect.kind === 'publish') out.push(effect);
      if (effect.kind === 'merge') apply({ kind: 'chunk-merged', index: effect.index });
    }
  };
  const answer = (): void => {
    // Workers answer in some order of their own.
    const at = Math.floor(Math.random() * Math.min(out.length, window));
    const [task] = out.splice(at, 1);
    if (task === undefined) return;
    const statistics = { ...ZERO_STATISTICS, recordsIn: 1, recordsOut: 1 };
    const about = { worker: 'w', reused: false, ms: 1, statistics };
    apply({ kind: 'result-announced', index: task.index, attempt: task.attempt, ...about });
  };
  for (let index = 0; index < chunks; index++) {
    apply({ kind: 'chunk-stored', index }, [chunkOf(index)]);
    while (out.length >= window) answer();
    apply({ kind: 'slot-granted', aheadChunks });
    if (index % 10_000 === 0) heapBytes = Math.max(heapBytes, process.memoryUsage().heapUsed);
  }
  while (out.length > 0) {
    answer();
    apply({ kind: 'slot-granted', aheadChunks });
  }
  apply({ kind: 'input-complete', waves: 1 });
  if (state.status !== 'finalizing') throw new Error(`the job is ${state.status}`);
  return heapBytes;
}

function chunkOf(index: number): NewChunk {
  const key = index.toString(16).padStart(64, '0');
  const bytes = 4 * 1024 * 1024;
  return {
    ...{ index, wave: 0, chunkKey: key, taskKey: key },
    ...{ byteOffset: index * bytes, bytes, line: index },
  };
}
