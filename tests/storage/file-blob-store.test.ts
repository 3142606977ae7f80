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
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileBlobStore } from '../../pipeline/storage/file-blob-store.ts';
import { settledVersion } from '../../pipeline/storage/file-slice.ts';
import { blobStoreContract } from './contract.ts';

let dir: string;
let store: FileBlobStore;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-blobs-'));
  store = new FileBlobStore(dir);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('FileBlobStore', () => {
  blobStoreContract(async () => store);

  it('lets one of many writers of a name win, and leaves no temporary file', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => store.put('results/race', [Buffer.from('same')])),
    );
    expect(answers.filter((answer) => answer.created)).toHaveLength(1);
    const temporaries = readdirSync(path.join(dir, 'tmp'), { recursive: true });
    expect(temporaries.filter((name) => !String(name).startsWith('w-'))).toEqual([]);
  });

  it('has taken the bytes when `putNow` returns, and keeps the first object', async () => {
    const bytes = Buffer.alloc(1_000_000, 'abc');
    const wanted = bytes.toString();
    const name = `chunks/${sha256(wanted)}`;
    const written = store.putNow(name, bytes);
    bytes.fill(0);
    expect(await written).toEqual({ created: true });
    expect(Buffer.from(await store.get(name)).toString()).toBe(wanted);
    expect(await store.putNow(name, Buffer.from(wanted))).toEqual({ created: false });
    const raced = ['one', 'two'].map((text) => store.putNow('results/r', Buffer.from(text)));
    expect((await Promise.all(raced)).filter(({ created }) => created)).toHaveLength(1);
    const left = readdirSync(path.join(dir, 'tmp'), { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });

  it('reads ranges, as bytes and as a stream', async () => {
    await store.put('results/r', [Buffer.from('0123456789')]);
    expect(Buffer.from(await store.getRange('results/r', 2, 5)).toString()).toBe('234');
    expect(Buffer.from(await store.getRange('results/r', 8, 50)).toString()).toBe('89');
    const parts: Buffer[] = [];
    for await (const part of store.stream('results/r', 3, 7)) parts.push(part as Buffer);
    expect(Buffer.concat(parts).toString()).toBe('3456');
  });

  it('refers to the bytes of another file, and finds by their hash that they were changed', async () => {
    const input = path.join(dir, 'input.csv');
    writeFileSync(input, 'a,b\n1,2\n3,4\n');
    const volatile = new FileBlobStore(dir, { durable: false });
    const name = `chunks/${sha256('1,2\n3,4\n')}`;
    volatile.referNow(name, { path: input, start: 4, end: 12, version: null });
    const memory = new Uint8Array(100);
    const bytes = await volatile.get(name, (byteCount) => memory.subarray(0, byteCount));
    expect(Buffer.from(bytes).toString()).toBe('1,2\n3,4\n');
    expect(bytes.buffer).toBe(memory.buffer);
    for (const changed of ['a,b\n1,2\n3,5\n', 'a,b\n1,2\n']) {
      writeFileSync(input, changed);
      const message = expect.stringContaining(input);
      await expect(volatile.get(name)).rejects.toMatchObject({ code: 'blob-corrupt', message });
    }
    rmSync(input);
    await expect(volatile.get(name)).rejects.toMatchObject({ code: 'blob-missing' });
  });

  it('takes the bytes of a file that has kept its version as they are, and no others', async () => {
    const input = path.join(dir, 'input.csv');
    const volatile = new FileBlobStore(dir, { durable: false });
    // Not the hash of the bytes: whether it is looked at shows.
    const name = `chunks/${sha256('other bytes')}`;
    const refer = (nowMs: number, end = 12): void => {
      const file = openSync(input, 'r');
      const version = settledVersion(file, nowMs);
      closeSync(file);
      volatile.referNow(name, { path: input, start: 4, end, version });
    };
    const later = Date.now() + 60_000;
    const text = 'a,b\n1,2\n3,4\n';
    writeFileSync(input, text);
    refer(later);
    expect(Buffer.from(await volatile.get(name)).toString()).toBe('1,2\n3,4\n');

    const corrupt = { code: 'blob-corrupt' };
    const { atime, mtime } = statSync(input);
    // The next tick of the clock that files are stamped by.
    await new Promise((resolve) => setTimeout(resolve, 30));
    writeFileSync(input, text.replace('4', '5'));
    utimesSync(input, atime, mtime);
    await expect(volatile.get(name)).rejects.toMatchObject(corrupt);

    refer(later);
    writeFileSync(`${input}.new`, text);
    renameSync(`${input}.new`, input);
    await expect(volatile.get(name)).rejects.toMatchObject(corrupt);

    refer(later, 13);
    await expect(volatile.get(name)).rejects.toMatchObject(corrupt);

    // It was written just now: it could change again and show the same times.
    refer(Date.now());
    await expect(volatile.get(name)).rejects.toMatchObject(corrupt);
  });

  it('refuses a chunk whose bytes are not those of its name', async () => {
    const name = `chunks/${sha256('good')}`;
    await store.put(name, [Buffer.from('good')]);
    expect(Buffer.from(await store.get(name)).toString()).toBe('good');
    const file = readdirSync(dir, { recursive: true, withFileTypes: true }).find(
      (entry) => entry.isFile() && name.endsWith(entry.name),
    );
    writeFileSync(path.join(file?.parentPath ?? '', file?.name ?? ''), 'evil');
    await expect(store.get(name)).rejects.toMatchObject({ code: 'blob-corrupt' });
  });

  it('tells a missing object by its name', async () => {
    await expect(store.get('results/none')).rejects.toMatchObject({
      code: 'blob-missing',
      message: expect.stringContaining('results/none') as string,
    });
    expect(await store.has('results/none')).toBe(false);
    await store.delete('results/none');
  });

  it('lists what lies under a prefix', async () => {
    const names = ['chunks/aa11', 'chunks/ab', 'outputs/job-1/profile.json', 'outputs/job-2/x'];
    for (const name of names) await store.put(name, [Buffer.from('x')]);
    const listed = async (prefix: string) => {
      const found: string[] = [];
      for await (const name of store.list(prefix)) found.push(name);
      return found.sort();
    };
    expect(await listed('chunks/')).toEqual(['chunks/aa11', 'chunks/ab']);
    expect(await listed('outputs/job-1')).toEqual(['outputs/job-1/profile.json']);
    await store.delete('chunks/aa11');
    expect(await listed('chunks/')).toEqual(['chunks/ab']);
  });

  it('takes no path for a name', async () => {
    for (const name of [
      '../x',
      'a/../b',
      '/etc/passwd',
      'a//b',
      '',
      'a/.hidden',
      'a\0b',
      'a/b/c/d',
    ]) {
      await expect(store.put(name, [])).rejects.toMatchObject({ code: 'bad-request' });
    }
  });
});
