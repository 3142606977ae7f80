import { createHash } from 'node:crypto';
import {
  decodeSection,
  readResultHead,
  RESULT_HEAD_BYTES,
} from '../../pipeline/result/result-format.ts';
import type { SectionName } from '../../pipeline/result/result-format.ts';
import type { IngestBlobStore } from '../../pipeline/storage/blob-store.ts';
import { useFiles } from './node-files.ts';
import type { Random } from './random.ts';
import { SimFiles } from './sim-files.ts';
import type { SimProcess } from './sim-process.ts';

/** What no record of the simulation begins with, and every document. */
const OPENING_BRACE = 0x7b;

export interface SimStore extends IngestBlobStore {
  /** As a master does when it starts. */
  removeTemporaries(): Promise<void>;
}

/** The objects as they are at rest, without any process that looks at them. */
export type Objects = Iterable<[string, Uint8Array]> &
  Pick<Map<string, Uint8Array>, 'get' | 'has' | 'set' | 'delete'>;

/** The blobs that all processes share, and what may happen to them at rest. */
export abstract class SimDisk {
  abstract readonly objects: Objects;
  /** Names whose bytes were changed or lost at rest at some time. */
  readonly everDamaged = new Set<string>();
  isFull = false;
  /** Probability that a call of the store fails. */
  faultRate = 0;
  /** Told of what is removed because nobody needs it, and of chunks that were whole. */
  onCollected: (name: string) => void = () => undefined;
  /** Of the same machine: uploads are spooled there, and blobs stored in some worlds. */
  readonly files: SimFiles;
  protected readonly random: Random;

  constructor(random: Random) {
    this.random = random;
    this.files = new SimFiles(random, this);
    useFiles(this.files);
  }

  /** The store as one process sees it. */
  abstract view(process: SimProcess): SimStore;

  /** Whether the object survives whatever ends processes and machines. */
  abstract isDurable(name: string): boolean;

  /** All processes have ended; what was not synced is lost, or not. */
  losePower(): void {
    this.files.losePower();
  }

  /** Flips a bit of a stored result, anywhere in it. Null when there is none. */
  corruptResult(): string | null {
    const name = this.#anyResult();
    if (name === null) return null;
    const bytes = Buffer.from(this.objects.get(name)!);
    let at = this.random.below(RESULT_HEAD_BYTES);
    try {
      const { sections } = readResultHead(bytes);
      const { start, end } = this.random.pick(Object.values(sections));
      if (end > start) at = this.random.between(start, end - 1);
    } catch {
      return null;
    }
    bytes[at] = bytes[at]! ^ (1 << this.random.below(8));
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
    return this.#damageChunk((bytes) => bytes[0] === OPENING_BRACE);
  }

  /** A chunk of an input is gone, or damaged. Null when there is none. */
  damageInput(): string | null {
    return this.#damageChunk((bytes) => bytes[0] !== OPENING_BRACE);
  }

  /** To be called right before an object is deleted, for whatever reason. */
  protected removing(name: string): void {
    const bytes = this.objects.get(name);
    const isStored = name.startsWith('chunks/') || name.startsWith('results/');
    if (isStored && bytes !== undefined && isWhole(name, bytes)) this.onCollected(name);
  }

  #damageChunk(isOne: (bytes: Uint8Array) => boolean): string | null {
    const chunks = [...this.objects].filter(
      ([name, bytes]) => name.startsWith('chunks/') && isOne(bytes),
    );
    if (chunks.length === 0) return null;
    const [name, bytes] = this.random.pick(chunks);
    this.everDamaged.add(name);
    if (this.random.chance(0.5)) this.objects.delete(name);
    else this.objects.set(name, Buffer.from(bytes).fill('x', this.random.below(bytes.length)));
    return short(name);
  }

  /** Half the time one that a later wave reads, if there is one. */
  #anyResult(): string | null {
    const results = [...this.objects].filter(([name]) => name.startsWith('results/'));
    if (results.length === 0) return null;
    const read = results.filter(([, bytes]) => isRead(bytes));
    const among = read.length > 0 && this.random.chance(0.5) ? read : results;
    return this.random.pick(among)[0];
  }
}

/** Whether the object is what was stored under its name. */
export function isWhole(name: string, bytes: Uint8Array): boolean {
  if (name.startsWith('chunks/')) {
    return name === `chunks/${createHash('sha256').update(bytes).digest('hex')}`;
  }
  if (!name.startsWith('results/')) return true;
  try {
    const head = readResultHead(bytes);
    for (const section of Object.keys(head.sections) as SectionName[]) {
      const { start, end } = head.sections[section];
      decodeSection(head, section, bytes.subarray(start, end));
    }
    return true;
  } catch {
    return false;
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

export function short(name: string): string {
  return name.replace(/([0-9a-f]{8})[0-9a-f]{56}/, '$1');
}
