import { afterEach, expect, test, vi } from 'vitest';
import { resultView, type ResultSource } from '../../master/aggregator/result-view.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';

/** A result that is made in one piece, at the end of its job. */
class EndingJob {
  source: ResultSource = this.#source(false, '');
  readonly listeners = new Set<() => void>();

  end(text: string): void {
    this.source = this.#source(true, text);
    for (const listener of this.listeners) listener();
  }

  view() {
    const blobs = {} as BlobStore;
    return resultView(
      blobs,
      'job',
      () => this.source,
      (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
    );
  }

  #source(complete: boolean, text: string): ResultSource {
    const bytes = Buffer.from(text);
    return {
      ...{ complete, format: 'csv', identity: null, damagedChunk: null },
      ...{ kind: 'pieces', bytes: bytes.length, pieces: () => only(bytes) },
    };
  }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts).toString();
}

afterEach(() => void vi.useRealTimers());

test('a follower is woken by a change, and waits for no timer', async () => {
  vi.useFakeTimers();
  const job = new EndingJob();
  const text = textOf(job.view().lend(0, new AbortController().signal));
  await vi.waitUntil(() => job.listeners.size === 1);
  job.end('n\n3\n');
  expect(await text).toBe('n\n3\n');
  expect(job.listeners.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('a follower that is told to stop stops at once', async () => {
  vi.useFakeTimers();
  const job = new EndingJob();
  const stop = new AbortController();
  const text = textOf(job.view().lend(0, stop.signal));
  await vi.waitUntil(() => job.listeners.size === 1);
  stop.abort();
  await expect(text).rejects.toThrow('aborted');
  expect(job.listeners.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
