import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GarbageCollector } from '../../master/housekeeping/garbage-collector.ts';
import type { References } from '../../master/housekeeping/garbage-collector.ts';
import type { JobRecord } from '../../master/storage/job-record.ts';
import { FileBlobStore } from '../../pipeline/storage/file-blob-store.ts';

const GRACE_MS = 100;

let dir: string;
let blobs: FileBlobStore;
let nowMs: number;
let needed: Set<string>;
let collector: GarbageCollector;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-garbage-'));
  blobs = new FileBlobStore(dir);
  nowMs = 0;
  needed = new Set();
  const isUsed = (room: string) => (key: string) => needed.has(`${room}/${key}`);
  const store: References = {
    isChunkKeyUsed: isUsed('chunks'),
    isTaskKeyUsed: isUsed('results'),
    isContextKeyUsed: isUsed('contexts'),
    isLookupUsed: isUsed('lookups'),
    sync: () => Promise.resolve(),
    job: (id) => (needed.has(`outputs/${id}`) ? ({ id } as JobRecord) : null),
  };
  collector = new GarbageCollector({ store, blobs, now: () => nowMs, graceMs: GRACE_MS });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const put = async (...names: string[]) => {
  for (const name of names) await blobs.put(name, [Buffer.from(name)]);
};

async function sweepAfter(ms: number): Promise<number> {
  nowMs += ms;
  return await collector.sweep();
}

async function stored(): Promise<string[]> {
  const names: string[] = [];
  for (const room of ['chunks', 'results', 'contexts', 'lookups', 'outputs', 'uploads']) {
    for await (const name of blobs.list(`${room}/`)) names.push(name);
  }
  return names.sort();
}

describe('the garbage collector', () => {
  it('removes what no job refers to, of each kind, and nothing else', async () => {
    const kept = [
      'chunks/aa1',
      'contexts/aa1',
      'lookups/aa1',
      'outputs/aa1/profile.json',
      'results/aa1',
    ];
    const garbage = [
      'chunks/ab2',
      'contexts/ab2',
      'lookups/ab2',
      'outputs/ab2/result',
      'results/ab2',
    ];
    await put(...kept, ...garbage, 'uploads/of-somebody-else');
    needed = new Set(['chunks/aa1', 'contexts/aa1', 'lookups/aa1', 'outputs/aa1', 'results/aa1']);
    expect(await sweepAfter(0)).toBe(0);
    expect(collector.suspectCount).toBe(5);
    expect(await sweepAfter(GRACE_MS)).toBe(5);
    expect(await stored()).toEqual([...kept, 'uploads/of-somebody-else']);
    expect(await sweepAfter(GRACE_MS)).toBe(0);
    expect(collector.suspectCount).toBe(0);
  });

  it('waits for the grace, from when it saw the blob first', async () => {
    nowMs = 1_000_000;
    await put('chunks/abc');
    expect(await sweepAfter(0)).toBe(0);
    expect(await sweepAfter(GRACE_MS - 1)).toBe(0);
    expect(await sweepAfter(1)).toBe(1);
  });

  it('spares a blob that a job began to refer to meanwhile, and begins anew after that', async () => {
    await put('results/abc');
    await sweepAfter(0);
    needed.add('results/abc');
    expect(await sweepAfter(GRACE_MS)).toBe(0);
    needed.clear();
    expect(await sweepAfter(GRACE_MS)).toBe(0);
    expect(await sweepAfter(GRACE_MS)).toBe(1);
  });

  it.each([
    ['stored again', async () => void (await blobs.put('chunks/abc', [Buffer.from('x')]))],
    ['stored again by a thread', async () => void (await blobs.putNow('chunks/abc', Buffer.of(1)))],
    ['found by an upload', async () => void (await blobs.renew('chunks/abc'))],
  ])('spares a blob that was %s since it was seen, for another grace', async (_, renew) => {
    await put('chunks/abc');
    await sweepAfter(0);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await renew();
    expect(await sweepAfter(GRACE_MS)).toBe(0);
    expect(await blobs.has('chunks/abc')).toBe(true);
    expect(await sweepAfter(GRACE_MS)).toBe(1);
  });
});

describe('a blob that is deleted if nobody renewed it', () => {
  it('is deleted under its version only', async () => {
    await put('chunks/abc');
    const version = await blobs.version('chunks/abc');
    expect(await blobs.deleteUnchanged('chunks/abc', `${version}0`)).toBe(false);
    expect(await blobs.deleteUnchanged('chunks/abc', version ?? '')).toBe(true);
    expect(await blobs.version('chunks/abc')).toBeNull();
    expect(await blobs.renew('chunks/abc')).toBe(false);
    expect(await blobs.deleteUnchanged('chunks/abc', version ?? '')).toBe(false);
  });

  it('is there in the end, however a renewal and the deletion race', async () => {
    for (let round = 0; round < 200; round++) {
      await put('chunks/abc');
      const version = (await blobs.version('chunks/abc')) ?? '';
      await new Promise((resolve) => setTimeout(resolve, 1));
      const [, put1] = await Promise.all([
        blobs.deleteUnchanged('chunks/abc', version),
        blobs.put('chunks/abc', [Buffer.from('chunks/abc')]),
      ]);
      expect(put1).toBeDefined();
      expect(await blobs.has('chunks/abc'), `round ${round}`).toBe(true);
    }
  });
});
