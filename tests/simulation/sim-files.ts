import path from 'node:path';
import type { Random } from './random.ts';
import type { SimProcess } from './sim-process.ts';

/** A file, by whatever names it has. */
export interface Inode {
  bytes: Buffer;
  /** What of it survives a loss of power for certain; null while it was never synced. */
  synced: Buffer | null;
  /** Bytes from the start that were synced, and not touched since: no loss of power harms them. */
  safeBytes: number;
  version: bigint;
}

interface Folder {
  readonly entries: Map<string, Inode | Folder>;
  /** Entries as they were when the folder was synced last. */
  readonly synced: Map<string, Inode | Folder>;
}

/** What may be wrong with the disk. */
export interface Trouble {
  readonly isFull: boolean;
  /** Probability that a put fails. */
  readonly faultRate: number;
}

const SYNC_MS = 1;
const CALL_MS = 0.5;
/** A put of the store is some six calls. */
const CALLS_A_PUT = 6;

/**
 * The file system of the master's machine, as POSIX promises it and no more: what was written is seen
 * by all at once, and survives the end of a process. Of what was not synced, a loss of power keeps
 * any part: of a file's bytes some, of a folder's new, removed and renamed entries each or not.
 */
export class SimFiles {
  readonly #random: Random;
  readonly #trouble: Trouble;
  #root = newFolder();
  readonly #processes: SimProcess[] = [];
  #versionCount = 0n;
  /** Calls that were on their way when the power was lost are never performed. */
  #powerCount = 0;

  constructor(random: Random, trouble: Trouble) {
    this.#random = random;
    this.#trouble = trouble;
  }

  /** A folder that stands for the root as this process sees it: its calls are known by it. */
  mount(process: SimProcess): string {
    return `/${this.#processes.push(process) - 1}`;
  }

  /** Performs a call of the process that `target` is of, after a while. */
  call<T>(target: string, label: string, perform: (inside: string) => T): Promise<T> {
    const power = this.#powerCount;
    const inside = insideOf(target);
    const meanMs = label === 'sync' ? SYNC_MS : CALL_MS;
    return this.#processOf(target).call(`${label} ${short(inside)}`, meanMs, () => {
      if (power !== this.#powerCount) throw systemError('EIO', inside);
      this.mayFail(inside);
      return perform(inside);
    });
  }

  /** The same within the step: for calls that matter to nobody else, and such that block. */
  callNow<T>(target: string, perform: (inside: string) => T): T {
    const inside = insideOf(target);
    if (!this.#processOf(target).alive) throw systemError('EIO', inside);
    return perform(inside);
  }

  mayFail(inside: string): void {
    if (this.#random.chance(this.#trouble.faultRate / CALLS_A_PUT))
      throw systemError('EIO', inside);
  }

  /** Null when there is none. */
  find(inside: string): Inode | Folder | null {
    let at: Inode | Folder | undefined = this.#root;
    for (const part of partsOf(inside)) {
      if (!isFolder(at)) return null;
      at = at.entries.get(part);
      if (at === undefined) return null;
    }
    return at;
  }

  file(inside: string): Inode {
    const found = this.find(inside);
    if (found === null) throw systemError('ENOENT', inside);
    if (isFolder(found)) throw systemError('EISDIR', inside);
    return found;
  }

  folder(inside: string): Folder {
    const found = this.find(inside);
    if (found === null) throw systemError('ENOENT', inside);
    if (!isFolder(found)) throw systemError('ENOTDIR', inside);
    return found;
  }

  create(inside: string): Inode {
    this.#needRoom(inside);
    const { entries } = this.folder(path.dirname(inside));
    const inode = newInode(this.nextVersion());
    entries.set(path.basename(inside), inode);
    return inode;
  }

  makeFolders(inside: string): void {
    let at = this.#root;
    for (const part of partsOf(inside)) {
      const next = at.entries.get(part) ?? newFolder();
      if (!isFolder(next)) throw systemError('ENOTDIR', inside);
      if (!at.entries.has(part)) this.#needRoom(inside);
      at.entries.set(part, next);
      at = next;
    }
  }

  link(from: string, to: string): void {
    const inode = this.file(from);
    const { entries } = this.folder(path.dirname(to));
    if (entries.has(path.basename(to))) throw systemError('EEXIST', to);
    this.#needRoom(to);
    entries.set(path.basename(to), inode);
  }

  rename(from: string, to: string): void {
    const inode = this.file(from);
    this.folder(path.dirname(to)).entries.set(path.basename(to), inode);
    this.remove(from);
  }

  remove(inside: string): void {
    const { entries } = this.folder(path.dirname(inside));
    if (!entries.delete(path.basename(inside))) throw systemError('ENOENT', inside);
  }

  /** A full disk takes a part, and tells why. */
  write(inode: Inode, bytes: Uint8Array, at: number): number {
    const room = this.#trouble.isFull ? this.#random.below(bytes.length) : bytes.length;
    const end = Math.max(inode.bytes.length, at + room);
    const next = Buffer.alloc(end);
    inode.bytes.copy(next);
    next.set(bytes.subarray(0, room), at);
    inode.bytes = next;
    inode.safeBytes = Math.min(inode.safeBytes, at);
    inode.version = this.nextVersion();
    if (room < bytes.length) throw systemError('ENOSPC', 'a file');
    return room;
  }

  truncate(inode: Inode, length: number): void {
    inode.bytes = inode.bytes.subarray(0, length);
    inode.safeBytes = Math.min(inode.safeBytes, length);
    inode.version = this.nextVersion();
  }

  syncFile(inode: Inode): void {
    inode.synced = inode.bytes;
    inode.safeBytes = inode.bytes.length;
  }

  syncFolder({ entries, synced }: Folder): void {
    synced.clear();
    for (const [name, entry] of entries) synced.set(name, entry);
  }

  nextVersion(): bigint {
    return ++this.#versionCount;
  }

  /** Whether a loss of power at this moment leaves the name. */
  isNameDurable(inside: string): boolean {
    let at: Inode | Folder | undefined = this.#root;
    for (const part of partsOf(inside)) {
      if (!isFolder(at) || at.synced.get(part) !== at.entries.get(part)) return false;
      at = at.entries.get(part);
    }
    return at !== undefined;
  }

  /** Whether it leaves the file's bytes as they are. False when there is no file. */
  isContentDurable(inside: string): boolean {
    const found = this.find(inside);
    return found !== null && !isFolder(found) && found.synced?.equals(found.bytes) === true;
  }

  /** The caller ends all processes. */
  losePower(): void {
    this.#powerCount += 1;
    const keep = (folder: Folder): Folder => {
      const names = new Set([...folder.entries.keys(), ...folder.synced.keys()]);
      const kept = newFolder();
      for (const name of names) {
        const now = folder.entries.get(name);
        const before = folder.synced.get(name);
        const entry = now === before || this.#random.chance(0.5) ? now : before;
        if (entry === undefined) continue;
        const whole = isFolder(entry) ? keep(entry) : this.#tear(entry);
        kept.entries.set(name, whole);
        kept.synced.set(name, whole);
      }
      return kept;
    };
    this.#root = keep(this.#root);
  }

  /** What is left of a file: what was synced, or of what came later a part, or all of it. */
  #tear(inode: Inode): Inode {
    const { bytes, synced, safeBytes } = inode;
    if (synced?.equals(bytes) === true) return inode;
    const dice = this.#random.next();
    const torn = Buffer.from(bytes);
    if (dice < 0.4) inode.bytes = synced ?? Buffer.alloc(0);
    else if (dice < 0.8) inode.bytes = torn.fill(0, this.#random.between(safeBytes, torn.length));
    this.syncFile(inode);
    return inode;
  }

  #needRoom(inside: string): void {
    if (this.#trouble.isFull) throw systemError('ENOSPC', inside);
  }

  #processOf(target: string): SimProcess {
    const process = this.#processes[Number(partsOf(target)[0])];
    if (process === undefined) throw new RangeError(`${target} is of no process`);
    return process;
  }
}

export function isFolder(entry: Inode | Folder | undefined): entry is Folder {
  return entry !== undefined && 'entries' in entry;
}

export function systemError(code: string, target: string): Error {
  return Object.assign(new Error(`${code}: ${target}`), { code });
}

function newInode(version: bigint): Inode {
  return { bytes: Buffer.alloc(0), synced: null, safeBytes: 0, version };
}

function newFolder(): Folder {
  return { entries: new Map(), synced: new Map() };
}

function partsOf(target: string): string[] {
  return target.split('/').filter((part) => part !== '');
}

/** The path without the folder that stands for the process. */
function insideOf(target: string): string {
  return `/${partsOf(target).slice(1).join('/')}`;
}

function short(inside: string): string {
  return inside.replace(/([0-9a-f]{6})[0-9a-f]{56}/, '$1');
}
