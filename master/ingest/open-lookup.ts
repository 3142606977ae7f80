import { DEFAULT_READ_OPTIONS } from '../../pipeline/dialect/read-options.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { lookupTables } from '../../pipeline/execution/join/lookup-tables.ts';
import { chunkKey } from '../../pipeline/keys/index.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import { findByName, type Lookup, type LookupContent } from '../../pipeline/plan/lookup.ts';
import { lookupNames } from '../../pipeline/plan/join.ts';
import type { PlanDocument } from '../../pipeline/plan/schema.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { LookupFile } from '../storage/job-record.ts';
import { openInput } from './open-input.ts';

/** The lookups of a job, described, with their texts, until they are known to be good. */
export interface OpenedLookups {
  readonly lookups: readonly Lookup[];
  /**
   * Reads the lookups as the workers will. Throws `input-malformed` and `limit-exceeded` with the
   * name of the file, and the place in it.
   */
  check(context: Pick<ChunkContext, 'steps' | 'nullstr'>): void;
}

/**
 * Decodes and sniffs the files that a plan joins to, and stores their records' text for the workers.
 * The plan's `nullstr` holds for them; all else is found out. Errors: those of an input.
 */
export async function openLookups(
  blobs: BlobStore,
  plan: PlanDocument,
  files: readonly LookupFile[],
): Promise<OpenedLookups> {
  const used = new Set(lookupNames(plan).flatMap((name) => findByName(files, name) ?? []));
  const opened: OpenedLookup[] = [];
  for (const file of used) {
    try {
      opened.push(await openLookup(blobs, file, plan.read.nullstr));
    } catch (thrown) {
      throw ofFile(thrown, file.name, 0);
    }
  }
  return {
    lookups: opened.map(({ lookup }) => lookup),
    check(context) {
      try {
        lookupTables(
          context,
          new Map(opened.map(({ lookup, text }) => [lookup.content.key, text])),
        );
      } catch (thrown) {
        const key = thrown instanceof SluiceError ? thrown.details['lookup'] : null;
        const found = opened.find(({ lookup }) => lookup.content.key === key);
        throw found === undefined ? thrown : ofFile(thrown, found.lookup.name, found.dataLine);
      }
    },
  };
}

interface OpenedLookup {
  readonly lookup: Lookup;
  readonly text: Uint8Array;
  /** Lines of the file before its records. */
  readonly dataLine: number;
}

async function openLookup(
  blobs: BlobStore,
  file: LookupFile,
  nullstr: readonly string[],
): Promise<OpenedLookup> {
  const raw = await blobs.get(`lookups/${file.key}`);
  const read = { ...DEFAULT_READ_OPTIONS, nullstr };
  const { sniffed, text } = await openInput(inPieces(raw), read, null);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of text) {
    parts.push(part);
    bytes += part.length;
    if (bytes > LIMITS.lookupBytesMax) throw lookupTooLarge();
  }
  const records = Buffer.concat(parts).subarray(sniffed.dataOffset);
  const { input, dialect, dataLine } = sniffed;
  const content: LookupContent = {
    ...{ key: chunkKey(records), dialect, columns: input.columns },
    format: input.format === 'csv' ? 'csv' : 'ndjson',
  };
  await blobs.put(`lookups/${content.key}`, [records]);
  const lookup: Lookup = { name: file.name, bytes: records.length, content };
  return { lookup, text: records, dataLine };
}

/** The error of a file that is too large to be a lookup, as it came or decoded. */
export function lookupTooLarge(): SluiceError {
  const { lookupBytesMax } = LIMITS;
  const message =
    `it is larger than ${lookupBytesMax / 1024 / 1024} MiB, the most that a lookup may have. ` +
    'Leave out the columns and records that the plan does not need';
  return new SluiceError('limit-exceeded', message, { details: { lookupBytesMax } });
}

/** Says which file an error is about, and where it is in the file. */
export function ofFile(thrown: unknown, name: string, dataLine: number): unknown {
  if (!(thrown instanceof SluiceError)) return thrown;
  const { line } = thrown.details;
  const details = {
    ...thrown.details,
    lookup: name,
    ...(typeof line === 'number' ? { line: line + dataLine } : {}),
  };
  const message = `The lookup ${JSON.stringify(name)} cannot be used: ${thrown.message}`;
  return new SluiceError(thrown.code, message, { details, cause: thrown });
}

async function* inPieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += LIMITS.sniffBytesMax) {
    yield bytes.subarray(at, at + LIMITS.sniffBytesMax);
  }
}
