import path from 'node:path';
import { FileBlobStore } from '../../pipeline/storage/file-blob-store.ts';
import { SimDisk, isWhole } from './sim-disk.ts';
import type { Objects, SimStore } from './sim-disk.ts';
import { isFolder } from './sim-files.ts';
import type { SimFiles } from './sim-files.ts';
import type { SimProcess } from './sim-process.ts';

const ROOT = '/store';

/** The production file store on simulated files: writes are torn where a crash may tear them. */
export class FileDisk extends SimDisk {
  readonly objects: Objects = new FileObjects(this.files);

  view(process: SimProcess): SimStore {
    return new WatchedStore(path.join(this.files.mount(process), ROOT), this);
  }

  /**
   * A worker that is given a task again may find its result right before the folder is synced, and
   * announces it: should the power be lost just then, it is one of those that are made again.
   */
  isDurable(name: string): boolean {
    const target = pathOf(name);
    const { files } = this;
    const isNamed = name.startsWith('results/') || files.isNameDurable(target);
    return isNamed && files.isContentDurable(target);
  }
}

class WatchedStore extends FileBlobStore {
  readonly #disk: FileDisk;

  constructor(dir: string, disk: FileDisk) {
    super(dir);
    this.#disk = disk;
  }

  override async deleteUnchanged(name: string, version: string): Promise<boolean> {
    const { objects } = this.#disk;
    const bytes = objects.get(name);
    const isDamaged = bytes === undefined || !isWhole(name, bytes);
    const isRemoved = await super.deleteUnchanged(name, version);
    // One that was stored anew meanwhile is another one.
    if (isRemoved && !isDamaged && !objects.has(name)) this.#disk.onCollected(name);
    return isRemoved;
  }
}

/** The files of the store by the names of their objects. */
class FileObjects implements Objects {
  readonly #files: SimFiles;

  constructor(files: SimFiles) {
    this.#files = files;
  }

  has(name: string): boolean {
    return this.#files.find(pathOf(name)) !== null;
  }

  get(name: string): Uint8Array | undefined {
    return this.has(name) ? this.#files.file(pathOf(name)).bytes : undefined;
  }

  set(name: string, bytes: Uint8Array): never {
    const inode = this.#files.file(pathOf(name));
    inode.bytes = Buffer.from(bytes);
    this.#files.syncFile(inode);
    return undefined as never;
  }

  delete(name: string): boolean {
    const target = pathOf(name);
    this.#files.remove(target);
    this.#files.folder(path.dirname(target)).synced.delete(path.basename(target));
    return true;
  }

  *[Symbol.iterator](): Iterator<[string, Uint8Array]> {
    for (const room of ['chunks', 'results']) {
      const shards = this.#files.find(`${ROOT}/${room}`);
      if (!isFolder(shards ?? undefined)) continue;
      for (const [shard, folder] of this.#files.folder(`${ROOT}/${room}`).entries) {
        if (!isFolder(folder)) continue;
        for (const [rest, inode] of folder.entries) {
          if (!isFolder(inode)) yield [`${room}/${shard}${rest}`, inode.bytes];
        }
      }
    }
  }
}

/** As the store names its files. */
function pathOf(name: string): string {
  const [room = '', key = '', ...more] = name.split('/');
  return path.join(ROOT, room, key.slice(0, 2), key.slice(2), ...more);
}
