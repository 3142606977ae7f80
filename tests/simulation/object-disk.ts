import { Readable } from 'node:stream';
import { SluiceError, invariant } from '../../pipeline/errors.ts';
import { SimDisk, isWhole, short } from './sim-disk.ts';
import type { SimStore } from './sim-disk.ts';
import type { SimProcess } from './sim-process.ts';

const WRITE_MS = 3;
const READ_MS = 1;

/**
 * A disk of whole objects: a write is visible whole or not at all, whatever happens to its writer; it
 * may fail before or after it took effect.
 */
export class ObjectDisk extends SimDisk {
  readonly objects = new Map<string, Uint8Array>();
  readonly #versions = new Map<string, string>();
  #versionCount = 0;

  /** The store as one process sees it. */
  view(process: SimProcess): SimStore {
    const call = <T>(what: string, meanMs: number, perform: () => T): Promise<T> =>
      process.call(what, meanMs, perform);
    const put = (name: string, parts: readonly Uint8Array[]) => {
      const bytes = Buffer.concat(parts);
      return call(`put ${short(name)}`, WRITE_MS, () => this.#put(name, bytes));
    };
    return {
      isDurable: true,
      put: (name, parts) => put(name, parts as readonly Uint8Array[]),
      putNow: (name, bytes) => put(name, [bytes]),
      referNow: (name) => invariant(false, name),
      removeTemporaries: () => Promise.resolve(),
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
          this.#delete(name);
        }),
      list: (prefix) => this.#list(process, prefix),
      renew: (name) => call(`renew ${short(name)}`, READ_MS, () => this.#renew(name)),
      version: (name) =>
        call(`version ${short(name)}`, READ_MS, () => this.#versions.get(name) ?? null),
      deleteUnchanged: (name, version) =>
        call(`collect ${short(name)}`, READ_MS, () => this.#deleteUnchanged(name, version)),
    };
  }

  isDurable(name: string): boolean {
    return this.objects.has(name);
  }

  #put(name: string, bytes: Uint8Array): { readonly created: boolean } {
    if (this.#touch(name)) return { created: false };
    if (this.isFull) throw new SluiceError('disk-full', `no space left for ${name}`);
    const failed = this.random.chance(this.faultRate);
    if (!failed || this.random.chance(0.5)) {
      this.objects.set(name, bytes);
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
    this.#delete(name);
    return true;
  }

  #delete(name: string): void {
    this.removing(name);
    this.objects.delete(name);
    this.#versions.delete(name);
  }

  #get(name: string): Uint8Array {
    const bytes = this.#read(name);
    if (name.startsWith('chunks/') && !isWhole(name, bytes)) {
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
    if (this.random.chance(this.faultRate)) throw new SluiceError('storage-failed', `${name}: EIO`);
  }
}
