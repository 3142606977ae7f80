import { createHash, randomBytes } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import type { IngestBlobStore } from '../../pipeline/storage/blob-store.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** What every store of blobs promises. `open` gives an empty one. */
export function blobStoreContract(open: () => Promise<IngestBlobStore>): void {
  let store: IngestBlobStore;
  beforeEach(async () => {
    store = await open();
  });

  it('keeps the first object put under a name', async () => {
    const parts = [Buffer.from('one'), Buffer.from('two')];
    expect(await store.put('results/abc', parts)).toEqual({ created: true });
    expect(await store.put('results/abc', [Buffer.from('other')])).toEqual({ created: false });
    expect(Buffer.from(await store.get('results/abc')).toString()).toBe('onetwo');
  });

  it('lets many writers of a name succeed', async () => {
    const puts = Array.from({ length: 8 }, () => store.put('results/race', [Buffer.from('same')]));
    const answers = await Promise.all(puts);
    expect(answers.some(({ created }) => created)).toBe(true);
    expect(Buffer.from(await store.get('results/race')).toString()).toBe('same');
  });

  it('has taken bytes that are lent when the call returns', async () => {
    const lent = Buffer.from('lent');
    const name = `chunks/${sha256(lent)}`;
    const put = store.putNow(name, lent);
    lent.fill(0x20);
    expect(await put).toEqual({ created: true });
    expect(Buffer.from(await store.get(name)).toString()).toBe('lent');
  });

  it('gives ranges, whole, in part and beyond the end', async () => {
    const bytes = randomBytes(9_000_000);
    await store.put('results/range', [bytes.subarray(0, 10), bytes.subarray(10)]);
    const range = async (start: number, end: number) =>
      Buffer.from(await store.getRange('results/range', start, end));
    expect((await range(0, 1_024)).equals(bytes.subarray(0, 1_024))).toBe(true);
    expect((await range(8_999_990, 9_000_100)).equals(bytes.subarray(8_999_990))).toBe(true);
    expect((await range(9_000_000, 9_000_010)).length).toBe(0);
    expect((await range(5, 5)).length).toBe(0);
    const streamed = Buffer.concat(await all<Buffer>(store.stream('results/range', 7, 8_500_000)));
    expect(streamed.equals(bytes.subarray(7, 8_500_000))).toBe(true);
  });

  it('takes an object in parts that come one after another', async () => {
    const bytes = randomBytes(36_000_000);
    async function* parts(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 7_000_001) yield bytes.subarray(at, at + 7_000_001);
    }
    expect(await store.put('outputs/a/big', parts())).toEqual({ created: true });
    const [start, end] = [16_000_000, 35_000_000];
    const stored = Buffer.from(await store.getRange('outputs/a/big', start, end));
    expect(stored.equals(bytes.subarray(start, end))).toBe(true);
    expect((await store.getRange('outputs/a/big', 35_999_999, 40_000_000)).length).toBe(1);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 20_000_000);
      throw new Error('cut off');
    }
    await expect(store.put('outputs/a/cut', failing())).rejects.toThrow(/cut off/);
    expect(await store.has('outputs/a/cut')).toBe(false);
  });

  it('says what is missing', async () => {
    const missing = { code: 'blob-missing' };
    await expect(store.get('results/none')).rejects.toMatchObject(missing);
    await expect(store.getRange('results/none', 0, 9)).rejects.toMatchObject(missing);
    expect(await store.has('results/none')).toBe(false);
    expect(await store.version('results/none')).toBeNull();
    expect(await store.renew('results/none')).toBe(false);
    await store.delete('results/none');
  });

  it('finds a chunk whose bytes are not those of its name', async () => {
    const name = `chunks/${sha256(Buffer.from('right'))}`;
    await store.put(name, [Buffer.from('wrong')]);
    await expect(store.get(name)).rejects.toMatchObject({ code: 'blob-corrupt' });
  });

  it('lists names under a prefix, and deletes', async () => {
    const names = ['outputs/a1b/profile.json', 'outputs/a1b/result', 'outputs/c2/result'];
    for (const name of [...names, 'results/abc']) await store.put(name, [Buffer.from('x')]);
    expect((await all(store.list('outputs/'))).sort()).toEqual(names);
    expect((await all(store.list('outputs/a1b'))).sort()).toEqual(names.slice(0, 2));
    for (const name of names) await store.delete(name);
    expect(await all(store.list('outputs/'))).toEqual([]);
    expect(await store.has('results/abc')).toBe(true);
  });

  it('gives an object another version when it is stored or wanted again', async () => {
    await store.put('results/abc', [Buffer.from('x')]);
    const versions = [await store.version('results/abc')];
    for (const renew of [
      () => store.renew('results/abc'),
      () => store.put('results/abc', [Buffer.from('x')]),
    ]) {
      // S3 tells times in seconds.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await renew();
      versions.push(await store.version('results/abc'));
    }
    expect(new Set(versions).size).toBe(3);
    expect(Buffer.from(await store.get('results/abc')).toString()).toBe('x');
    expect(await store.deleteUnchanged('results/abc', versions[1] ?? '')).toBe(false);
    expect(await store.has('results/abc')).toBe(true);
    expect(await store.deleteUnchanged('results/abc', versions[2] ?? '')).toBe(true);
    expect(await store.has('results/abc')).toBe(false);
  });

  it('refuses names that are paths', async () => {
    for (const name of ['../x', 'a/../b', '/a', 'a//b', 'a/b/c/d', '', '.a']) {
      const refused = { code: 'bad-request' };
      await expect(store.put(name, [Buffer.of(1)]), name).rejects.toMatchObject(refused);
    }
  });
}
