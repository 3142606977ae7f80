import { invariant, SluiceError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { Step } from '../../plan/step.ts';
import type { ChunkContext } from '../context.ts';
import { LookupTable, type LookupTableOptions } from './lookup-table.ts';

type JoinStep = Extract<Step, { kind: 'join' }>;

/** Keys of the lookups that a context's joins need: the blobs `lookups/<key>`. */
export function lookupKeys({ steps }: Pick<ChunkContext, 'steps'>): string[] {
  return [...new Set(joinsOf(steps).map(({ lookup }) => lookup.key))];
}

/**
 * The tables of a context's joins, from the texts of their lookups by key. Throws `limit-exceeded`
 * when they take too much memory, and `input-malformed` for a record that cannot be read, with the
 * lookup's key in the details as `lookup`.
 */
export function lookupTables(
  { steps }: Pick<ChunkContext, 'steps'>,
  texts: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<JoinStep, LookupTable> {
  const tables = new Map<JoinStep, LookupTable>();
  let memoryBytesMax: number = LIMITS.lookupMemoryBytesMax;
  for (const step of joinsOf(steps)) {
    const text = texts.get(step.lookup.key);
    invariant(text !== undefined, 'the lookups of a program are given to it');
    const table = tableOf(text, { step, memoryBytesMax });
    memoryBytesMax -= table.memoryBytes;
    tables.set(step, table);
  }
  return tables;
}

function tableOf(text: Uint8Array, options: LookupTableOptions): LookupTable {
  try {
    return new LookupTable(text, options);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    const details = { ...thrown.details, lookup: options.step.lookup.key };
    throw new SluiceError(thrown.code, thrown.message, { details, cause: thrown });
  }
}

function joinsOf(steps: readonly Step[]): JoinStep[] {
  return steps.filter((step) => step.kind === 'join');
}
