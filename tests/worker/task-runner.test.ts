import { beforeEach, describe, expect, it } from 'vitest';
import { type ErrorCode, SluiceError } from '../../pipeline/errors.ts';
import { canonicalJson, chunkKey, contextKey, taskKey } from '../../pipeline/keys/index.ts';
import type { Slice } from '../../pipeline/execution/chunk-program.ts';
import { ENGINE_VERSION, type ChunkContext } from '../../pipeline/execution/context.ts';
import type { Announcement, TaskMessage } from '../../pipeline/protocol/index.ts';
import { readResultHead, sectionOf } from '../../pipeline/result/result-format.ts';
import { ProgramCache } from '../../worker/program-cache.ts';
import { TaskRunner, verdictOf } from '../../worker/task-runner.ts';
import { mismatchOf } from '../../worker/worker.ts';
import { MemoryBlobs } from './memory-blobs.ts';

const encoder = new TextEncoder();
const context = { engine: ENGINE_VERSION, format: 'csv', steps: [] } as unknown as ChunkContext;
const chunk = encoder.encode('a,b\n1,2\n');
const task: TaskMessage = {
  v: 1,
  taskKey: taskKey(chunkKey(chunk), contextKey(context)),
  jobId: 'job',
  chunkIndex: 7,
  chunkKey: chunkKey(chunk),
  contextKey: contextKey(context),
  bytes: chunk.length,
  attempt: 2,
  round: 0,
};

let blobs: MemoryBlobs;
let announced: Announcement[];
let announceFault: ErrorCode | null;
let programFault: SluiceError | null;
let compileCount: number;
let runCount: number;
let draining: boolean;
let slices: Slice[];
let nowMs: number;
let stepsMax: number;
let stepCount: number;
let onStep: () => void;

beforeEach(() => {
  blobs = new MemoryBlobs();
  blobs.objects.set(`chunks/${task.chunkKey}`, chunk);
  blobs.objects.set(`contexts/${task.contextKey}`, encoder.encode(canonicalJson(context)));
  announced = [];
  announceFault = null;
  programFault = null;
  compileCount = 0;
  runCount = 0;
  draining = false;
  slices = [];
  nowMs = 0;
  stepsMax = 0;
  onStep = () => {};
});

/** The program copies its input, slices behind it; its statistics count two records. */
function programs(): ProgramCache {
  return new ProgramCache(blobs, () => {
    compileCount++;
    return {
      slices: () => slices,
      lookupMemoryBytes: 0,
      run: () => expect.unreachable(),
      *steps(bytes, fetched = []) {
        runCount++;
        if (programFault !== null) throw programFault;
        for (stepCount = 0; stepCount < stepsMax; stepCount++) {
          onStep();
          yield;
        }
        const none = { rejected: 0, filtered: 0, deduplicated: 0, aggregated: 0 };
        const output = [bytes, ...fetched];
        const outputBytes = output.reduce((sum, part) => sum + part.length, 0);
        const sizes = { lines: 2, bytesIn: bytes.length, outputRecords: 2, outputBytes };
        return {
          statistics: { recordsIn: 2, recordsOut: 2, ...none, ...sizes },
          output,
          rejects: new Uint8Array(),
          partial: new Uint8Array(),
          exchange: new Uint8Array(),
        };
      },
    };
  });
}

function runner(): TaskRunner {
  return new TaskRunner({
    worker: 'worker-1',
    blobs,
    programs: programs(),
    announce: async (announcement) => {
      if (announceFault !== null) throw new SluiceError(announceFault, 'cannot announce');
      blobs.calls.push('announce');
      announced.push(announcement);
    },
    now: () => nowMs,
    turn: () => Promise.resolve(),
    sliceMs: 50,
    isDraining: () => draining,
    onComputing: () => blobs.calls.push('compute'),
  });
}

const never = new AbortController().signal;

describe('a task', () => {
  it('is computed, its result durable, announced, and only then acknowledged', async () => {
    const outcome = await runner().run(task, never);
    blobs.calls.push(verdictOf(outcome));
    expect(blobs.calls.slice(-4)).toEqual(['compute', 'put results', 'announce', 'ack']);
    expect(announced).toMatchObject([
      { kind: 'result', taskKey: task.taskKey, chunkIndex: 7, attempt: 2, reused: false },
    ]);
    const result = blobs.objects.get(`results/${task.taskKey}`) ?? new Uint8Array();
    expect(announced).toMatchObject([{ resultBytes: result.length, statistics: { recordsIn: 2 } }]);
    expect(readResultHead(result).statistics.recordsOut).toBe(2);
  });

  it('whose result is stored is announced as reused, without any work', async () => {
    const one = runner();
    await one.run(task, never);
    blobs.calls.length = 0;
    expect((await one.run(task, never)).kind).toBe('reused');
    expect(blobs.calls).toEqual(['get results', 'announce']);
    expect(runCount).toBe(1);
    expect(announced[1]).toEqual({ ...announced[0], reused: true });
  });

  it('that fails by its input is announced as failed for good, and acknowledged', async () => {
    programFault = new SluiceError('input-malformed', 'record 3: missing cell');
    const outcome = await runner().run(task, never);
    expect(verdictOf(outcome)).toBe('ack');
    expect(announced).toMatchObject([
      { kind: 'failure', retryable: false, error: { code: 'input-malformed' } },
    ]);
    expect(blobs.objects.has(`results/${task.taskKey}`)).toBe(false);
  });

  it.each(['blob-missing', 'blob-corrupt', 'disk-full'] as const)(
    'that meets %s is announced as failed, to be tried again',
    async (code) => {
      blobs.fault = (call) => {
        if (call.startsWith('get chunks')) throw new SluiceError(code, 'no');
      };
      expect(verdictOf(await runner().run(task, never))).toBe('ack');
      expect(announced).toMatchObject([{ kind: 'failure', retryable: true, error: { code } }]);
    },
  );

  it.each(['storage-failed', 'master-unavailable'] as const)(
    'that meets %s is given back without an announcement',
    async (code) => {
      blobs.fault = (call) => {
        if (call.startsWith('put')) throw new SluiceError(code, 'no');
      };
      expect(verdictOf(await runner().run(task, never))).toBe('requeue');
      expect(announced).toEqual([]);
    },
  );

  it('whose result cannot be announced is given back, and answered from the store later', async () => {
    announceFault = 'broker-unavailable';
    const one = runner();
    expect(verdictOf(await one.run(task, never))).toBe('requeue');
    announceFault = null;
    expect((await one.run(task, never)).kind).toBe('reused');
    expect(runCount).toBe(1);
  });

  it('gets the slices that its program asks for, in that order', async () => {
    blobs.objects.set('results/x', encoder.encode('0123456789'));
    blobs.objects.set('results/y', encoder.encode('abcdef'));
    slices = [
      { name: 'results/y', start: 0, end: 2 },
      { name: 'results/x', start: 3, end: 6 },
      { name: 'results/y', start: 2, end: 2 },
    ];
    expect((await runner().run(task, never)).kind).toBe('done');
    const result = blobs.objects.get(`results/${task.taskKey}`) ?? new Uint8Array();
    const head = readResultHead(result);
    const output = Buffer.from(sectionOf(head, 'output', result)).toString();
    expect(output).toBe('a,b\n1,2\nab345');
  });

  it.each([
    ['missing', 'results/none', 'blob-missing'],
    ['cut short', 'results/x', 'blob-corrupt'],
  ] as const)('whose slice is %s says which result is lost', async (_, name, code) => {
    blobs.objects.set('results/x', encoder.encode('0123'));
    slices = [{ name, start: 2, end: 6 }];
    await runner().run(task, never);
    expect(announced).toMatchObject([
      { kind: 'failure', retryable: true, error: { code, details: { name } } },
    ]);
    expect(runCount).toBe(0);
  });

  it('is given back without work when its delivery is void or the worker drains', async () => {
    expect(verdictOf(await runner().run(task, AbortSignal.abort()))).toBe('requeue');
    draining = true;
    expect(verdictOf(await runner().run(task, never))).toBe('requeue');
    expect([runCount, announced.length]).toEqual([0, 0]);
  });

  it('is left in the midst when it is called back, and finished when the connection is lost', async () => {
    stepsMax = 1_000;
    const runUntil = async (code: ErrorCode) => {
      const calledBack = new AbortController();
      onStep = () => {
        nowMs += 10;
        if (stepCount === 12) calledBack.abort(new SluiceError(code, 'no'));
      };
      return await runner().run(task, calledBack.signal);
    };
    expect((await runUntil('aborted')).kind).toBe('returned');
    expect(stepCount).toBeLessThan(20);
    expect([announced.length, blobs.objects.has(`results/${task.taskKey}`)]).toEqual([0, false]);
    expect((await runUntil('broker-unavailable')).kind).toBe('done');
    expect(stepCount).toBe(stepsMax);
  });

  it('is refused when its context is not what the key says', async () => {
    const other = encoder.encode(canonicalJson({ ...context, engine: 'other' }));
    blobs.objects.set(`contexts/${task.contextKey}`, other);
    await runner().run(task, never);
    expect(announced).toMatchObject([{ kind: 'failure', error: { code: 'blob-corrupt' } }]);
    expect(runCount).toBe(0);
  });
});

describe('a task for another engine', () => {
  it('is given back: its result would be taken for one of that engine', async () => {
    const other = { ...context, engine: 'sluice-engine-0' };
    const key = contextKey(other);
    blobs.objects.set(`contexts/${key}`, encoder.encode(canonicalJson(other)));
    const outcome = await runner().run({ ...task, contextKey: key }, never);
    expect(outcome).toMatchObject({ kind: 'returned', error: { code: 'engine-mismatch' } });
    expect(verdictOf(outcome)).toBe('requeue');
    expect([announced, runCount]).toEqual([[], 0]);
    const event = { kind: 'task-ended', task, outcome } as const;
    expect(mismatchOf(event)?.message).toMatch(/run workers of the version of their master/);
  });
});

describe('compiled programs', () => {
  it('are kept for their context, the least recently used goes first', async () => {
    const keys = ['x', 'y', 'z'].map((text) => {
      const one = { ...context, nullstr: [text] };
      blobs.objects.set(`contexts/${contextKey(one)}`, encoder.encode(canonicalJson(one)));
      return contextKey(one);
    });
    const [x = '', y = '', z = ''] = keys;
    const cache = new ProgramCache(
      blobs,
      () => {
        compileCount++;
        return {
          slices: () => [],
          lookupMemoryBytes: 0,
          run: () => expect.unreachable(),
          steps: () => expect.unreachable(),
        };
      },
      2,
    );
    for (const key of [x, y, x, z, x]) await cache.get(key);
    expect(compileCount).toBe(3);
    await cache.get(y);
    expect(compileCount).toBe(4);
  });

  it('are loaded once by tasks that come together, and again after a failure', async () => {
    const cache = programs();
    blobs.fault = () => {
      throw new SluiceError('storage-failed', 'no');
    };
    await expect(cache.get(task.contextKey)).rejects.toMatchObject({ code: 'storage-failed' });
    blobs.fault = () => {};
    await Promise.all([cache.get(task.contextKey), cache.get(task.contextKey)]);
    expect(compileCount).toBe(1);
  });
});
