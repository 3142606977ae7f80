import { Readable } from 'node:stream';
import { isFolder, systemError } from './sim-files.ts';
import type { Inode, SimFiles } from './sim-files.ts';

/**
 * What production code imports of `node:fs` and `node:fs/promises`, on the simulated file system: see
 * `on-simulated-files.mjs`. Only what it uses, and as it uses it.
 */
let files: SimFiles | null = null;
let descriptorCount = 0;
const descriptors = new Map<number, Inode>();
/** By descriptor, for what is done with it later. */
const targets = new Map<number, string>();

/** From here on calls go to the file system of another world. */
export function useFiles(next: SimFiles): void {
  files = next;
  descriptorCount = 0;
  descriptors.clear();
  targets.clear();
}

function world(): SimFiles {
  if (files === null) throw new Error('there is no world');
  return files;
}

type Flags = 'r' | 'r+' | 'w' | 'wx';

class Handle {
  readonly #target: string;
  /** Null of a folder. */
  readonly #inode: Inode | null;

  constructor(target: string, inode: Inode | null) {
    this.#target = target;
    this.#inode = inode;
  }

  get #file(): Inode {
    if (this.#inode === null) throw systemError('EISDIR', this.#target);
    return this.#inode;
  }

  /** At the end, as all that is written by this call is. */
  async writev(parts: readonly Uint8Array[]): Promise<{ bytesWritten: number }> {
    const bytes = Buffer.concat(parts);
    return await world().call(this.#target, 'write', () => ({
      bytesWritten: world().write(this.#file, bytes, this.#file.bytes.length),
    }));
  }

  async writeFile(part: Uint8Array): Promise<void> {
    await this.writev([part]);
  }

  async write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }> {
    const part = Buffer.from(bytes.subarray(offset, offset + length));
    return await world().call(this.#target, 'write', () => ({
      bytesWritten: world().write(this.#file, part, position),
    }));
  }

  async read(
    into: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }> {
    return await world().call(this.#target, 'read', () => {
      const part = this.#file.bytes.subarray(position, position + length);
      into.set(part, offset);
      return { bytesRead: part.length };
    });
  }

  async stat(): Promise<{ size: number; mtimeNs: bigint }> {
    return await Promise.resolve(statOf(this.#file));
  }

  async datasync(): Promise<void> {
    await this.sync();
  }

  async sync(): Promise<void> {
    await world().call(this.#target, 'sync', (inside) => {
      if (this.#inode !== null) world().syncFile(this.#inode);
      else world().syncFolder(world().folder(inside));
    });
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }
}

function statOf({ bytes, version }: Inode) {
  return { size: bytes.length, mtimeNs: version };
}

function opened(inside: string, flags: Flags): Inode | null {
  const found = world().find(inside);
  if (flags === 'wx' && found !== null) throw systemError('EEXIST', inside);
  if (flags === 'wx' || (flags === 'w' && found === null)) return world().create(inside);
  if (found === null) throw systemError('ENOENT', inside);
  if (isFolder(found)) return null;
  if (flags === 'w') world().truncate(found, 0);
  return found;
}

/** In its own time, but without a step of its own: nobody else can tell. */
async function atOnce<T>(target: string, perform: (inside: string) => T): Promise<T> {
  await Promise.resolve();
  return world().callNow(target, perform);
}

export async function open(target: string, flags: Flags): Promise<Handle> {
  return await atOnce(target, (inside) => new Handle(target, opened(inside, flags)));
}

export async function mkdir(target: string): Promise<void> {
  await atOnce(target, (inside) => world().makeFolders(inside));
}

export async function mkdtemp(prefix: string): Promise<string> {
  return await atOnce(prefix, () => mkdtempSync(prefix));
}

export async function stat(target: string): Promise<{ size: number; mtimeNs: bigint }> {
  return await world().call(target, 'stat', (inside) => statOf(world().file(inside)));
}

export async function utimes(target: string): Promise<void> {
  await world().call(target, 'touch', (inside) => {
    world().file(inside).version = world().nextVersion();
  });
}

export async function link(from: string, to: string): Promise<void> {
  const source = from.replace(/^\/\d+/, '');
  await world().call(to, 'link', (inside) => world().link(source, inside));
}

export async function rename(from: string, to: string): Promise<void> {
  const source = from.replace(/^\/\d+/, '');
  await world().call(to, 'rename', (inside) => world().rename(source, inside));
}

export async function unlink(target: string): Promise<void> {
  await world().call(target, 'unlink', (inside) => world().remove(inside));
}

export async function truncate(target: string, length: number): Promise<void> {
  await world().call(target, 'truncate', (inside) => {
    world().truncate(world().file(inside), length);
  });
}

export async function rm(target: string): Promise<void> {
  await world().call(target, 'rm', (inside) => {
    if (world().find(inside) !== null) world().remove(inside);
  });
}

interface Entry {
  readonly name: string;
  isDirectory(): boolean;
}

export async function readdir(target: string): Promise<string[]>;
export async function readdir(target: string, _: { withFileTypes: true }): Promise<Entry[]>;
export async function readdir(
  target: string,
  options?: { withFileTypes: true },
): Promise<string[] | Entry[]> {
  return await world().call(target, 'readdir', (inside) => {
    const entries = [...world().folder(inside).entries];
    if (options === undefined) return entries.map(([name]) => name);
    return entries.map(([name, entry]) => ({ name, isDirectory: () => isFolder(entry) }));
  });
}

export function createReadStream(
  target: string,
  { start, end }: { readonly start: number; readonly end: number },
): Readable {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield await world().call(target, 'read', (inside) =>
      world()
        .file(inside)
        .bytes.subarray(start, end + 1),
    );
  }
  return Readable.from(bytes());
}

export function openSync(target: string, flags: Flags): number {
  const inode = world().callNow(target, (inside) => opened(inside, flags));
  if (inode === null) throw systemError('EISDIR', target);
  const descriptor = ++descriptorCount;
  descriptors.set(descriptor, inode);
  targets.set(descriptor, target);
  return descriptor;
}

export function closeSync(descriptor: number): void {
  descriptors.delete(descriptor);
  targets.delete(descriptor);
}

export function writeSync(
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const inode = inodeOf(descriptor);
  world().mayFail('a file');
  return world().write(inode, bytes.subarray(offset, offset + length), inode.bytes.length);
}

export function readSync(
  descriptor: number,
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const part = inodeOf(descriptor).bytes.subarray(position, position + length);
  into.set(part, offset);
  return part.length;
}

export function fdatasync(descriptor: number, done: (error: Error | null) => void): void {
  const inode = inodeOf(descriptor);
  world()
    .call(targets.get(descriptor) ?? '', 'sync', () => world().syncFile(inode))
    .then(
      () => done(null),
      (error: Error) => done(error),
    );
}

export function fstatSync(descriptor: number) {
  return statOf(inodeOf(descriptor));
}

export function mkdirSync(target: string): void {
  world().callNow(target, (inside) => world().makeFolders(inside));
}

export function mkdtempSync(prefix: string): string {
  const target = `${prefix}${++descriptorCount}`;
  mkdirSync(target);
  return target;
}

export function unlinkSync(target: string): void {
  world().callNow(target, (inside) => world().remove(inside));
}

export function utimesSync(target: string): void {
  world().callNow(target, (inside) => {
    world().file(inside).version = world().nextVersion();
  });
}

function inodeOf(descriptor: number): Inode {
  const inode = descriptors.get(descriptor);
  if (inode === undefined) throw systemError('EBADF', String(descriptor));
  return inode;
}
