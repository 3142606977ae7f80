import { SluiceError } from '../../pipeline/errors.ts';
import type { WorkerBlobs } from '../../worker/storage/worker-blobs.ts';

/** Blobs in memory, with the calls in order; `fault` may throw in the place of a call. */
export class MemoryBlobs implements WorkerBlobs {
  readonly objects = new Map<string, Uint8Array>();
  readonly calls: string[] = [];
  fault: (call: string) => void = () => {};

  async put(name: string, parts: readonly Uint8Array[]): Promise<{ readonly created: boolean }> {
    await this.#called(`put ${name}`);
    const created = !this.objects.has(name);
    if (created) this.objects.set(name, Buffer.concat(parts));
    return { created };
  }

  async get(name: string): Promise<Uint8Array> {
    await this.#called(`get ${name}`);
    const bytes = this.objects.get(name);
    if (bytes === undefined) throw new SluiceError('blob-missing', name);
    return bytes;
  }

  async getRange(name: string, start: number, end: number): Promise<Uint8Array> {
    return (await this.get(name)).subarray(start, end);
  }

  async has(name: string): Promise<boolean> {
    return this.objects.has(name);
  }

  /** Takes a moment, as a store does; what is durable is so only after it. */
  async #called(call: string): Promise<void> {
    this.fault(call);
    await new Promise((resolve) => setImmediate(resolve));
    this.calls.push(call.replace(/\/.*/, ''));
  }
}
