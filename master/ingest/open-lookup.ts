import { DEFAULT_READ_OPTIONS } from '../../pipeline/dialect/read-options.ts';
import { invariant, SluiceError } from '../../pipeline/errors.ts';
import { lookupTables } from '../../pipeline/execution/join/lookup-tables.ts';
import { chunkKey } from '../../pipeline/keys/index.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { CompiledPlan } from '../../pipeline/plan/compile.ts';
import { findByName, type Lookup, type LookupContent } from '../../pipeline/plan/lookup.ts';
import { lookupNames } from '../../pipeline/plan/join.ts';
import type { PlanDocument } from '../../pipeline/plan/schema.ts';
import type { LookupFile } from '../storage/job-record.ts';
import { LookupCutter, type LookupCutterDeps } from './lookup-cutter.ts';
import { openInput } from './open-input.ts';
import { lookupTooLarge, ofFile } from './store-lookup.ts';

/** The lookups of a job, described, with the texts of those that workers hold whole. */
export interface OpenedLookups {
  /**
   * Compiles a plan to them, and reads those that are held whole as the workers will. One that takes
   * too much memory is cut into parts instead, and the plan compiled again. Throws what `compile`
   * does, and `input-malformed` with the name of the file, and the place in it.
   */
  settle(compile: (lookups: readonly Lookup[]) => CompiledPlan): Promise<{
    readonly compiled: CompiledPlan;
    readonly lookups: readonly Lookup[];
  }>;
}

interface LookupSizes {
  readonly lookupHeldBytesMax: number;
  readonly lookupBytesMax: number;
}

/**
 * Decodes and sniffs the files that a plan joins to, and stores their records' text for the workers:
 * whole, or in parts where it is too large for that.
 * The plan's `nullstr` holds for them; all else is found out. Errors: those of an input.
 */
export async function openLookups(
  deps: LookupCutterDeps,
  plan: PlanDocument,
  files: readonly LookupFile[],
  sizes: LookupSizes = LIMITS,
): Promise<OpenedLookups> {
  const used = new Set(lookupNames(plan).flatMap((name) => findByName(files, name) ?? []));
  const opened: OpenedLookup[] = [];
  for (const file of used) {
    try {
      opened.push(await openLookup(deps, file, plan.read.nullstr, sizes));
    } catch (thrown) {
      throw ofFile(thrown, file.name, 0);
    }
  }
  return {
    async settle(compile) {
      for (;;) {
        const lookups = opened.map(({ lookup }) => lookup);
        const compiled = compile(lookups);
        const large = findTooLarge(compiled, opened);
        if (large === null) return { compiled, lookups };
        opened[opened.indexOf(large)] = await inParts(deps, large);
      }
    },
  };
}

/** One that the workers would have no room for, beside the others. */
function findTooLarge(
  { waves }: CompiledPlan,
  opened: readonly OpenedLookup[],
): OpenedLookup | null {
  const texts = new Map(
    opened.flatMap(({ lookup: { content }, text }) => {
      return text === null ? [] : [[content.key, text] as const];
    }),
  );
  for (const { context } of waves) {
    try {
      lookupTables(context, texts);
    } catch (thrown) {
      const key = thrown instanceof SluiceError ? thrown.details['lookup'] : null;
      const found = opened.find(({ lookup }) => lookup.content.key === key);
      if (found === undefined) throw thrown;
      if (thrown instanceof SluiceError && thrown.code === 'limit-exceeded') return found;
      throw ofFile(thrown, found.lookup.name, found.lookup.dataLine ?? 0);
    }
  }
  return null;
}

interface OpenedLookup {
  readonly lookup: Lookup;
  /** Null of one that is cut into parts. */
  readonly text: Uint8Array | null;
}

async function inParts(
  deps: LookupCutterDeps,
  { lookup, text }: OpenedLookup,
): Promise<OpenedLookup> {
  invariant(text !== null, 'a lookup is cut once');
  const { content, name, dataLine = 0 } = lookup;
  try {
    const cutter = new LookupCutter(deps, content, dataLine);
    await cutter.push(text);
    const { key, parts } = await cutter.finish();
    return { lookup: { ...lookup, content: { ...content, key }, parts }, text: null };
  } catch (thrown) {
    throw ofFile(thrown, name, 0);
  }
}

async function openLookup(
  deps: LookupCutterDeps,
  file: LookupFile,
  nullstr: readonly string[],
  { lookupHeldBytesMax, lookupBytesMax }: LookupSizes,
): Promise<OpenedLookup> {
  const { blobs } = deps;
  const read = { ...DEFAULT_READ_OPTIONS, nullstr };
  const { sniffed, text } = await openInput(bytesOf(deps, file), read, null);
  const { input, dialect, dataLine, dataOffset } = sniffed;
  const format = input.format === 'csv' ? 'csv' : 'ndjson';
  const about = { format, dialect, columns: input.columns } as const;
  const held: Uint8Array[] = [];
  let cutter: LookupCutter | null = null;
  let skip = dataOffset;
  let bytes = 0;
  for await (const part of text) {
    const own = part.subarray(Math.min(skip, part.length));
    skip -= part.length - own.length;
    bytes += own.length;
    if (bytes > lookupBytesMax) throw lookupTooLarge(lookupBytesMax);
    held.push(own);
    if (cutter === null && bytes <= lookupHeldBytesMax) continue;
    cutter ??= new LookupCutter(deps, about, dataLine);
    while (held.length > 0) await cutter.push(held.shift()!);
  }
  if (cutter !== null) {
    const { key, parts } = await cutter.finish();
    const lookup = { name: file.name, bytes, content: { key, ...about }, parts, dataLine };
    return { lookup, text: null };
  }
  const records = Buffer.concat(held);
  const content: LookupContent = { key: chunkKey(records), ...about };
  await blobs.put(`lookups/${content.key}`, [records]);
  return { lookup: { name: file.name, bytes, content, dataLine }, text: records };
}

/** A stored file, piece by piece. */
async function* bytesOf(
  { blobs }: LookupCutterDeps,
  { key, pieces = [key] }: LookupFile,
): AsyncIterable<Uint8Array> {
  for (const piece of pieces) {
    const bytes = await blobs.get(`lookups/${piece}`);
    for (let at = 0; at < bytes.length; at += LIMITS.sniffBytesMax) {
      yield bytes.subarray(at, at + LIMITS.sniffBytesMax);
    }
  }
}
