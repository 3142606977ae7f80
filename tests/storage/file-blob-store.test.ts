import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileBlobStore } from '../../pipeline/storage/file-blob-store.ts';
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
    const lent: string[] = [];
    const memory = new Uint8Array(2);
    for await (const piece of store.lend('results/r', 3, 50, () => memory)) {
      lent.push(Buffer.from(piece).toString());
    }
    expect(lent).toEqual(['34', '56', '78', '9']);
    const missing = store.lend('results/none', 0, 5, () => memory)[Symbol.asyncIterator]();
    await expect(missing.next()).rejects.toMatchObject({ code: 'blob-missing' });
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

  it('goes on when another process has removed its temporary files', async () => {
    const puts = [
      (name: string) => store.put(name, [Buffer.from(name)]),
      (name: string) => store.putNow(name, Buffer.from(name)),
    ];
    for (const [at, put] of puts.entries()) {
      await put(`results/${at}-before`);
      await new FileBlobStore(dir).removeTemporaries();
      const name = `results/${at}-after`;
      await expect(put(name)).rejects.toMatchObject({ code: 'storage-failed', retryable: true });
      expect(await put(name)).toEqual({ created: true });
    }
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
