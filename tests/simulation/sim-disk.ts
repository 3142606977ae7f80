import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { SluiceError } from '../../pipeline/errors.ts';
import { readResultHead, RESULT_HEAD_BYTES } from '../../pipeline/result/result-format.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import type { Random } from './random.ts';
import type { SimProcess } from './sim-process.ts';

const WRITE_MS = 3;
const READ_MS = 1;
/** What no record of the simulation begins with, and every document. */
const OPENING_BRACE = 0x7b;

/**
 * The blobs that all processes share. A write is visible whole or not at all, whatever happens to
 * its writer; it may fail before or after it took effect.
 */
export class SimDisk {
  readonly objects = new Map<string, Uint8Array>();
  /** Names that were durable at some time. */
  readonly everStored = new Set<string>();
  /** Names whose bytes were changed or lost at rest at some time. */
  readonly everDamaged = new Set<string>();
  isFull = false;
  /** Probability that a call fails. */
  faultRate = 0;
  /** Told of what is removed because nobody needs it. */
  onCollected: (name: string) => void = () => undefined;
  readonly #random: Random;
  readonly #versions = new Map<string, string>();
  #versionCount = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The store as one process sees it. */
  view(process: SimProcess): CollectableBlobStore {
    const call = <T>(what: string, meanMs: number, perform: () => T): Promise<T> =>
      process.call(what, meanMs, perform);
    return {
      put: (name, parts: readonly Uint8Array[]) => {
        const bytes = Buffer.concat(parts);
        return call(`put ${short(name)}`, WRITE_MS, () => this.#put(name, bytes));
      },
      get: (name) => call(`get ${short(name)}`, READ_MS, () => this.#get(name)),
      getRange: (name, start, end) =>
        call(`range ${short(name)}`, READ_MS, () => this.#read(name).subarray(start, end)),
      stream: (name, start, end) => Readable.from([this.#read(name).subarray(start, end)]),
      has: (name) =>
        call(`has ${short(name)}`, READ_MS, () => {
          this.#mayFail(name);
          return this.objects.has(name);
        }),
      delete: (name) =>
        call(`delete ${short(name)}`, READ_MS, () => {
          this.#mayFail(name);
          this.objects.delete(name);
          this.#versions.delete(name);
        }),
      list: (prefix) => this.#list(process, prefix),
      renew: (name) => call(`renew ${short(name)}`, READ_MS, () => this.#renew(name)),
      version: (name) =>
        call(`version ${short(name)}`, READ_MS, () => this.#versions.get(name) ?? null),
      deleteUnchanged: (name, version) =>
        call(`collect ${short(name)}`, READ_MS, () => this.#deleteUnchanged(name, version)),
    };
  }

  /** Flips a bit of a stored result, anywhere in it. Null when there is none. */
  corruptResult(): string | null {
    const name = this.#anyResult();
    if (name === null) return null;
    const bytes = Buffer.from(this.objects.get(name)!);
    let at = this.#random.below(RESULT_HEAD_BYTES);
    try {
      const { sections } = readResultHead(bytes);
      const { start, end } = this.#random.pick(Object.values(sections));
      if (end > start) at = this.#random.between(start, end - 1);
    } catch {
      return null;
    }
    bytes[at] = bytes[at]! ^ (1 << this.#random.below(8));
    this.objects.set(name, bytes);
    this.everDamaged.add(name);
    return short(name);
  }

  /** A stored result is gone. Null when there is none. */
  loseResult(): string | null {
    const name = this.#anyResult();
    if (name === null) return null;
    this.objects.delete(name);
    this.everDamaged.add(name);
    return short(name);
  }

  /** The document of a later wave's task is gone, or damaged. Null when there is none. */
  loseDocument(): string | null {
    const documents = [...this.objects].filter(
      ([name, bytes]) => name.startsWith('chunks/') && bytes[0] === OPENING_BRACE,
    );
    if (documents.length === 0) return null;
    const [name, bytes] = this.#random.pick(documents);
    this.everDamaged.add(name);
    if (this.#random.chance(0.5)) this.objects.delete(name);
    else this.objects.set(name, Buffer.from(bytes).fill('x', this.#random.below(bytes.length)));
    return short(name);
  }

  /** Half the time one that a later wave reads, if there is one. */
  #anyResult(): string | null {
    const results = [...this.objects].filter(([name]) => name.startsWith('results/'));
    if (results.length === 0) return null;
    const read = results.filter(([, bytes]) => isRead(bytes));
    const among = read.length > 0 && this.#random.chance(0.5) ? read : results;
    return this.#random.pick(among)[0];
  }

  #put(name: string, bytes: Uint8Array): { readonly created: boolean } {
    if (this.#touch(name)) return { created: false };
    if (this.isFull) throw new SluiceError('disk-full', `no space left for ${name}`);
    const failed = this.#random.chance(this.faultRate);
    if (!failed || this.#random.chance(0.5)) {
      this.objects.set(name, bytes);
      this.everStored.add(name);
      this.#touch(name);
    }
    if (failed) throw new SluiceError('storage-failed', `${name}: EIO`);
    return { created: true };
  }

  #renew(name: string): boolean {
    this.#mayFail(name);
    return this.#touch(name);
  }

  #touch(name: string): boolean {
    if (!this.objects.has(name)) return false;
    this.#versions.set(name, String(++this.#versionCount));
    return true;
  }

  #deleteUnchanged(name: string, version: string): boolean {
    this.#mayFail(name);
    if (this.#versions.get(name) !== version) return false;
    this.onCollected(name);
    this.objects.delete(name);
    this.#versions.delete(name);
    return true;
  }

  #get(name: string): Uint8Array {
    const bytes = this.#read(name);
    if (name.startsWith('chunks/')) {
      const digest = createHash('sha256').update(bytes).digest('hex');
      if (name !== `chunks/${digest}`)
        throw new SluiceError('blob-corrupt', name, { details: { name } });
    }
    return bytes;
  }

  #read(name: string): Uint8Array {
    this.#mayFail(name);
    const bytes = this.objects.get(name);
    if (bytes === undefined) {
      throw new SluiceError('blob-missing', `${name} is not in the store`, { details: { name } });
    }
    return bytes;
  }

  async *#list(process: SimProcess, prefix: string): AsyncIterable<string> {
    const names = await process.call(`list ${short(prefix)}`, READ_MS, () =>
      [...this.objects.keys()].filter((name) => name.startsWith(prefix)),
    );
    yield* names;
  }

  #mayFail(name: string): void {
    if (this.#random.chance(this.faultRate))
      throw new SluiceError('storage-failed', `${name}: EIO`);
  }
}

/** Whether a wave after the result's own reads it. */
function isRead(result: Uint8Array): boolean {
  try {
    const { start, end } = readResultHead(result).sections.exchange;
    return end > start;
  } catch {
    return false;
  }
}

function short(name: string): string {
  return name.replace(/([0-9a-f]{8})[0-9a-f]{56}/, '$1');
}
