import { createHash } from 'node:crypto';
import type { ChunkContext } from '../execution/context.ts';
import { canonicalJson } from './canonical-json.ts';

/** Part of every key that is not a plain content hash: raise it when a recipe below changes. */
export const KEY_RECIPE_VERSION = 1;

/** sha256 of the chunk's bytes, as 64 hexadecimal digits. */
export function chunkKey(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Key of an oversized record, of which only the first bytes are kept: another key than that of a
 * chunk with these bytes, because it becomes something else.
 */
export function oversizedKey(head: Uint8Array, fullBytes: number): string {
  return sha256(canonicalJson({ ...recipe('oversized'), fullBytes, head: chunkKey(head) }));
}

/** sha256 of everything beside the bytes that decides what a chunk becomes. */
export function contextKey(context: ChunkContext): string {
  return sha256(canonicalJson({ ...recipe('context'), context }));
}

/** The idempotent key of a sub-task, and the name of its result. */
export function taskKey(chunk: string, context: string): string {
  return sha256(canonicalJson({ ...recipe('task'), chunk, context }));
}

/**
 * Identity of an input's content, whatever its name and its upload: header and chunks in order.
 * `add` every chunk's key, then `digest` once.
 */
export class InputHasher {
  readonly #hash = createHash('sha256');

  constructor(header: readonly string[]) {
    this.#hash.update(canonicalJson({ ...recipe('input'), header }));
  }

  add(chunk: string): void {
    this.#hash.update(`\n${chunk}`);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

function recipe(kind: string): { recipe: number; kind: string } {
  return { recipe: KEY_RECIPE_VERSION, kind };
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
