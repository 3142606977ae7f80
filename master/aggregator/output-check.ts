import { createHash } from 'node:crypto';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import { readResultHead, RESULT_HEAD_BYTES } from '../../pipeline/result/result-format.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';

/** An output that was read whole and found right is believed for so long by reads of parts of it. */
const BELIEVED_MS = 60_000;
const BELIEVED_MAX = 4_096;

export interface OutputCheckDeps {
  readonly blobs: BlobStore;
  readonly now: () => number;
  /** Whether the store is of this run alone: what was put into it a moment ago is believed. */
  readonly trusts?: boolean;
}

/**
 * Holds stored outputs against their hashes. A part of an output has no hash of its own, so the
 * whole of it is read: once, and then not again for a while.
 */
export class OutputCheck {
  readonly #blobs: BlobStore;
  readonly #now: () => number;
  readonly #trusts: boolean;
  /** When the output of a task was last found whole; oldest first. */
  readonly #wholeAtMs = new Map<string, number>();

  constructor({ blobs, now, trusts = false }: OutputCheckDeps) {
    this.#blobs = blobs;
    this.#now = now;
    this.#trusts = trusts;
  }

  /** Throws `blob-corrupt` or `blob-missing` unless the output is what the task's worker stored. */
  async whole(taskKey: string, outputBytes: number): Promise<void> {
    if (this.#trusts) return;
    this.#wholeAtMs.delete(taskKey);
    await checkOutput(this.#blobs, taskKey, outputBytes);
    this.#wholeAtMs.set(taskKey, this.#now());
    if (this.#wholeAtMs.size > BELIEVED_MAX) {
      const [oldest] = this.#wholeAtMs.keys();
      if (oldest !== undefined) this.#wholeAtMs.delete(oldest);
    }
  }

  /** The same, or nothing when that was done in the last minute. */
  async recently(taskKey: string, outputBytes: number): Promise<void> {
    const sinceMs = this.#now() - (this.#wholeAtMs.get(taskKey) ?? -Infinity);
    if (sinceMs < 0 || sinceMs > BELIEVED_MS) await this.whole(taskKey, outputBytes);
  }
}

/** Reads a stored output and holds it against its hash. Errors: `blob-corrupt`, the store's. */
export async function checkOutput(
  blobs: BlobStore,
  taskKey: string,
  outputBytes: number,
): Promise<void> {
  const name = `results/${taskKey}`;
  const head = readResultHead(await blobs.getRange(name, 0, RESULT_HEAD_BYTES));
  const { start, end, sha256 } = head.sections.output;
  if (end - start !== outputBytes) throw corrupt(name, `holds ${end - start} bytes of output`);
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of blobs.stream(name, start, end)) {
      hash.update(piece as Uint8Array);
      bytes += (piece as Uint8Array).length;
    }
  } catch (thrown) {
    throw toSluiceError(thrown);
  }
  if (bytes !== outputBytes) throw corrupt(name, `ends after ${bytes} of its output`);
  if (hash.digest('hex') !== sha256) throw corrupt(name, 'has an output that was changed');
}

function corrupt(name: string, what: string): SluiceError {
  return new SluiceError('blob-corrupt', `${name} ${what}`, { details: { name } });
}
