import { expect, test } from 'vitest';
import { writeAll } from '../../pipeline/storage/write-all.ts';

/** A disk that takes some bytes a call, until it is full. */
function disk(bytesPerCall: number, capacityBytes: number) {
  let text = '';
  const writev = async (parts: readonly Uint8Array[]) => {
    const all = Buffer.concat(parts).toString();
    const bytesWritten = Math.min(bytesPerCall, capacityBytes - text.length, all.length);
    if (bytesWritten === 0) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    text += all.slice(0, bytesWritten);
    return { bytesWritten, buffers: [] };
  };
  return { file: { writev } as unknown as Parameters<typeof writeAll>[0], text: () => text };
}

const parts = ['one', '', 'two and', ' three'].map((part) => Buffer.from(part));

test('what a call of the system leaves over is written by the next', async () => {
  for (const bytesPerCall of [1, 2, 3, 5, 100]) {
    const { file, text } = disk(bytesPerCall, 1_000);
    await writeAll(file, parts);
    expect(text()).toBe('onetwo and three');
  }
});

test('a disk that gets full on the way is told as such', async () => {
  const { file, text } = disk(100, 7);
  await expect(writeAll(file, parts)).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(text()).toBe('onetwo ');
});
