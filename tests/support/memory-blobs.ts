import { Readable } from 'node:stream';
import { SluiceError } from '../../pipeline/errors.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';

/** Bytes `[start, end)` in pieces. */
export function* slices(bytes: Buffer, start: number, end: number): Generator<Buffer> {
  const step = 64 * 1024;
  for (let at = start; at < end; at += step) yield bytes.subarray(at, Math.min(at + step, end));
}

/** A blob store in memory, over the map. */
export function memoryBlobs(contents: Map<string, Buffer>): BlobStore {
  const get = (name: string): Buffer => {
    const bytes = contents.get(name);
    if (bytes === undefined) throw new SluiceError('blob-missing', name);
    return bytes;
  };
  return {
    async put(name, parts: readonly Uint8Array[]) {
      if (contents.has(name)) return { created: false };
      contents.set(name, Buffer.concat(parts));
      return { created: true };
    },
    get: async (name) => get(name),
    getRange: async (name, start, end) => get(name).subarray(start, end),
    stream: (name, start, end) => Readable.from(slices(get(name), start, end)),
    has: async (name) => contents.has(name),
    async delete(name) {
      contents.delete(name);
    },
    async *list(prefix) {
      for (const name of contents.keys()) if (name.startsWith(prefix)) yield name;
    },
  };
}
