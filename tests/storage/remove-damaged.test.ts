import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removeDamaged } from '../../master/storage/remove-damaged.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { FileBlobStore } from '../../pipeline/storage/file-blob-store.ts';

const NAME = 'results/aa11';
let dir: string;
let blobs: FileBlobStore;

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-damaged-'));
  blobs = new FileBlobStore(dir);
  await blobs.put(NAME, [Buffer.from('damaged')]);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Finds what is not `whole` damaged; `meanwhile` happens between the reading and its outcome. */
const reading =
  (meanwhile: () => Promise<void> = () => Promise.resolve()) =>
  async () => {
    const bytes = Buffer.from(await blobs.get(NAME)).toString();
    await meanwhile();
    if (bytes !== 'whole') throw new SluiceError('blob-corrupt', NAME);
  };

it('deletes what is damaged, says what is lost, and leaves what is whole', async () => {
  expect(await removeDamaged(blobs, NAME, reading())).toBe('blob-corrupt');
  expect(await removeDamaged(blobs, NAME, reading())).toBe('blob-missing');
  await blobs.put(NAME, [Buffer.from('whole')]);
  expect(await removeDamaged(blobs, NAME, reading())).toBe(null);
  expect(await blobs.has(NAME)).toBe(true);
});

it('leaves what somebody else stored anew after it was read', async () => {
  let isFirst = true;
  const repair = async () => {
    if (!isFirst) return;
    isFirst = false;
    await blobs.delete(NAME);
    await blobs.put(NAME, [Buffer.from('whole')]);
  };
  expect(await removeDamaged(blobs, NAME, reading(repair))).toBe(null);
  expect(await blobs.has(NAME)).toBe(true);
});
