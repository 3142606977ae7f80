import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settledVersion } from '../../pipeline/storage/file-slice.ts';
import { ScratchBlobStore } from '../../pipeline/storage/scratch-blob-store.ts';
import { blobStoreContract } from './contract.ts';

let outside: string;
let dir: string;
let store: ScratchBlobStore;
beforeEach(() => {
  outside = mkdtempSync(path.join(tmpdir(), 'sluice-scratch-'));
  dir = path.join(outside, 'blobs');
  store = new ScratchBlobStore(dir);
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function versionOf(input: string, nowMs: number): string | null {
  const file = openSync(input, 'r');
  const version = settledVersion(file, nowMs);
  closeSync(file);
  return version;
}

/** The bytes of pieces that all lie in one memory. */
async function lent(from: ScratchBlobStore, name: string, start: number, end: number) {
  const memory = new Uint8Array(2_000_000);
  const pieces: Buffer[] = [];
  for await (const piece of from.lend(name, start, end, (count) => memory.subarray(0, count))) {
    expect(piece.buffer).toBe(memory.buffer);
    pieces.push(Buffer.from(piece));
    memory.fill(0);
  }
  return Buffer.concat(pieces);
}

describe('ScratchBlobStore', () => {
  blobStoreContract(async () => store);

  it('refers to the bytes of another file, and finds by their hash that they were changed', async () => {
    const input = path.join(outside, 'input.csv');
    writeFileSync(input, 'a,b\n1,2\n3,4\n');
    const name = `chunks/${sha256('1,2\n3,4\n')}`;
    store.referNow(name, { path: input, start: 4, end: 12, version: null });
    const memory = new Uint8Array(100);
    const bytes = await store.get(name, (byteCount) => memory.subarray(0, byteCount));
    expect(Buffer.from(bytes).toString()).toBe('1,2\n3,4\n');
    expect(bytes.buffer).toBe(memory.buffer);
    for (const changed of ['a,b\n1,2\n3,5\n', 'a,b\n1,2\n']) {
      writeFileSync(input, changed);
      const message = expect.stringContaining(input);
      await expect(store.get(name)).rejects.toMatchObject({ code: 'blob-corrupt', message });
    }
    rmSync(input);
    await expect(store.get(name)).rejects.toMatchObject({ code: 'blob-missing' });
  });

  it('takes the bytes of a file that has kept its version as they are, and no others', async () => {
    const input = path.join(outside, 'input.csv');
    // Not the hash of the bytes: whether it is looked at shows.
    const name = `chunks/${sha256('other bytes')}`;
    const refer = (nowMs: number, end = 12): void => {
      store.referNow(name, { path: input, start: 4, end, version: versionOf(input, nowMs) });
    };
    const later = Date.now() + 60_000;
    const text = 'a,b\n1,2\n3,4\n';
    writeFileSync(input, text);
    refer(later);
    expect(Buffer.from(await store.get(name)).toString()).toBe('1,2\n3,4\n');

    const corrupt = { code: 'blob-corrupt' };
    const { atime, mtime } = statSync(input);
    // The next tick of the clock that files are stamped by.
    await new Promise((resolve) => setTimeout(resolve, 30));
    writeFileSync(input, text.replace('4', '5'));
    utimesSync(input, atime, mtime);
    await expect(store.get(name)).rejects.toMatchObject(corrupt);

    refer(later);
    writeFileSync(`${input}.new`, text);
    renameSync(`${input}.new`, input);
    await expect(store.get(name)).rejects.toMatchObject(corrupt);

    refer(later, 13);
    await expect(store.get(name)).rejects.toMatchObject(corrupt);

    // It was written just now: it could change again and show the same times.
    refer(Date.now());
    await expect(store.get(name)).rejects.toMatchObject(corrupt);
  });

  describe('a result with parts of a chunk', () => {
    const input = (): string => path.join(outside, 'input.csv');
    const text = Buffer.from(Array.from({ length: 50_000 }, (_, i) => `${i},x\n`).join(''));
    const own = [Buffer.from('head'), Buffer.from('between'), Buffer.from('tail')] as const;
    const start = 1_000;
    const end = 380_000;
    const first = [100, 100_100] as const;
    const second = [150_000, 378_000] as const;

    /** The result's bytes. */
    async function putResult(): Promise<Buffer> {
      writeFileSync(input(), text);
      const key = sha256(text.subarray(start, end));
      const version = versionOf(input(), Date.now() + 60_000);
      store.referNow(`chunks/${key}`, { path: input(), start, end, version });
      const memory = new Uint8Array(600_000);
      const bytes = await store.get(`chunks/${key}`, (count) => memory.subarray(7, 7 + count));
      const parts = [
        ...[own[0], bytes.subarray(...first), own[1], bytes.subarray(...second)],
        ...[bytes.subarray(5, 15), new Uint8Array(0), own[2]],
      ];
      const whole = Buffer.concat(parts);
      expect(await store.put('results/r', parts)).toEqual({ created: true });
      expect(await store.put('results/r', parts)).toEqual({ created: false });
      memory.fill(0);
      return whole;
    }

    it('is read as if it were whole, and is not', async () => {
      const whole = await putResult();
      const files = readdirSync(dir, { recursive: true, withFileTypes: true });
      const bytesHeld = files
        .filter((entry) => entry.isFile())
        .reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
      expect(bytesHeld).toBeLessThan(5_000);
      const memory = new Uint8Array(whole.length);
      const places = [0, 2, 4, 1_000, 100_004, 100_008, 100_011, 200_000, whole.length - 14];
      for (const from of places) {
        for (const to of [...places, whole.length, whole.length + 9].filter((at) => at > from)) {
          const wanted = sha256(whole.subarray(from, to));
          expect(sha256(await store.getRange('results/r', from, to))).toBe(wanted);
          const room = (byteCount: number) => memory.subarray(0, byteCount);
          const bytes = await store.getRange('results/r', from, to, room);
          expect([bytes.buffer, sha256(bytes)]).toEqual([memory.buffer, wanted]);
          expect(sha256(await buffer(store.stream('results/r', from, to)))).toBe(wanted);
          expect(sha256(await lent(store, 'results/r', from, to))).toBe(wanted);
        }
      }
      const other = new ScratchBlobStore(dir);
      expect(sha256(await other.getRange('results/r', 0, 1e9))).toBe(sha256(whole));
    });

    it('is damaged where the input was changed, even by bytes of the same length', async () => {
      const whole = await putResult();
      await new Promise((resolve) => setTimeout(resolve, 30));
      writeFileSync(input(), text.fill('y', 200_000, 200_001));
      const message = expect.stringContaining('was changed while it was read');
      const damage = { code: 'blob-corrupt', message };
      await expect(store.getRange('results/r', 50, 60)).rejects.toMatchObject(damage);
      await expect(buffer(store.stream('results/r', 0, whole.length))).rejects.toMatchObject(
        damage,
      );
      expect(Buffer.from(await store.getRange('results/r', 0, 4)).toString()).toBe('head');
    });

    it('holds its bytes where the input is too young to be told from a changed one', async () => {
      writeFileSync(input(), text);
      const name = `chunks/${sha256(text)}`;
      const version = versionOf(input(), Date.now());
      store.referNow(name, { path: input(), start: 0, end: text.length, version });
      const bytes = await store.get(name);
      await store.put('results/young', [bytes]);
      writeFileSync(input(), '');
      expect(sha256(await store.getRange('results/young', 0, 1e9))).toBe(sha256(text));
    });
  });
});
