import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { gathered } from '../../master/uploads/gathered.ts';

async function all(body: Readable): Promise<string[]> {
  const parts: string[] = [];
  for await (const bytes of gathered(body)) parts.push(bytes.toString());
  return parts;
}

const later = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('gathered', () => {
  it('gives what has come meanwhile in one piece, and ends with the stream', async () => {
    const body = new PassThrough();
    const parts = all(body);
    for (const part of ['a', 'b', 'c']) body.write(part);
    await later();
    body.write('d');
    await later();
    body.end('e');
    expect((await parts).join('|')).toMatch(/^(abc|a\|bc)\|d\|e$/);
    expect(await all(Readable.from([]))).toEqual([]);
    expect(body.listenerCount('readable')).toBe(0);
  });

  it('gives all that came before a failure, and then the failure', async () => {
    const body = new PassThrough();
    body.write('came');
    const parts: string[] = [];
    const read = async () => {
      for await (const bytes of gathered(body)) {
        parts.push(bytes.toString());
        setImmediate(() => body.destroy(new Error('gone')));
      }
    };
    await expect(read()).rejects.toThrow('gone');
    expect(parts).toEqual(['came']);
  });

  it('does not take a stream that was cut off for a whole one', async () => {
    const body = new PassThrough();
    const parts = all(body);
    body.write('half');
    setImmediate(() => body.destroy());
    await expect(parts).rejects.toMatchObject({ code: 'input-truncated' });
  });
});
