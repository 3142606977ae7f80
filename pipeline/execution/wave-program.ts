import { invariant } from '../errors.ts';
import { verify, type Entries } from '../exchange/entries.ts';
import type { EntryEngine, WrittenEntries } from '../exchange/entry-engine.ts';
import { EntryWriter, NO_KEY } from '../exchange/entry-writer.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { findDuplicates, findGatheredDuplicates } from '../exchange/find-duplicates.ts';
import { findMatches } from '../exchange/find-matches.ts';
import { gatherEntries } from '../exchange/gather-entries.ts';
import { mergeGroups, mergeReduced } from '../exchange/group-entries.ts';
import { markOrdinals } from '../exchange/ordinal-list.ts';
import { pickValue } from '../exchange/pick-value.ts';
import { reduceValues } from '../exchange/reduce-values.ts';
import { decodeDocument, storedSlice, type WaveDocument } from '../exchange/wave-document.ts';
import { canonicalJson } from '../keys/canonical-json.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { KernelModule } from '../parsing/structural/kernel.ts';
import type { ChunkStatistics } from '../protocol/messages.ts';
import { encodePartial } from '../result/partial.ts';
import { CellsSource, type Refused } from './cells-source.ts';
import { ChunkRun, type RunParts } from './chunk-run.ts';
import { inputView } from './column-view.ts';
import { PLAIN_CSV, type ChunkContext } from './context.ts';
import { takeOf } from './create-record-sink.ts';
import { CsvRecordSource } from './csv-source.ts';
import { StoredMatches } from './join/stored-matches.ts';
import type { ChunkProgram, ChunkResult } from './program.ts';

/** The program of a wave behind the first: its tasks' bytes are documents, see `WaveDocument`. */
export function createWaveProgram(
  context: ChunkContext,
  parts: RunParts,
  kernel: KernelModule | null,
): Pick<ChunkProgram, 'slices' | 'steps'> {
  const { input } = context;
  invariant(input !== 'chunk', 'a later wave reads slices');
  const groups = input.kind === 'group' ? new CsvRecordSource(context, kernel) : null;
  return {
    slices: (bytes) => decodeDocument(bytes).slices.map(storedSlice),
    *steps(bytes, slices = []) {
      const document = decodeDocument(bytes);
      if (document.kind === 'pick') return pick(document, slices, input, parts);
      const records = readRecords(document, slices, input, parts.engine);
      if (document.kind === 'gather') return gather(records, document, input, parts);
      if (input.kind === 'values') return reduce(records, document, input, parts);
      if (groups !== null) return runGroups(records, document, groups, context, parts);
      if (input.kind === 'distinct') return compareKeys(records, document, input.keep);
      if (document.kind === 'match') return matchKeys(records, document);
      if (input.records.layout === null) return copyRecords(records, context, parts);
      const view = inputView(context);
      const held = records.entries.bytes;
      const found = document.kind === 'joined' ? matchesOf(records, document, slices) : {};
      const run = new ChunkRun(context, view, held, { ...parts, ...found });
      const source = new CellsSource(view, context, records.entries, document.runs);
      for (const batch of source.batches(records.order, records.refused)) {
        run.take(batch);
        yield;
      }
      const result = run.finish(0, records);
      return { ...result, output: detached(result.output, held) };
    },
  };
}

/** The parts of an output without views of `bytes`, which the next task overwrites. */
function detached(output: readonly Uint8Array[], { buffer }: Uint8Array): Uint8Array[] {
  return output.map((part) => (part.buffer === buffer ? part.slice() : part));
}

/** The records that a task is about. */
interface TaskRecords {
  readonly entries: Entries;
  /** Entries in their order. */
  readonly order: Uint32Array;
  readonly refused: Refused | null;
  /** Further records, which stand in no entry or in none of `order`. */
  readonly filtered: number;
  readonly deduplicated: number;
}

function readRecords(
  document: Exclude<WaveDocument, { kind: 'pick' }>,
  slices: readonly Uint8Array[],
  input: Exchange,
  engine: EntryEngine,
): TaskRecords {
  const { filtered } = document;
  const rest = { refused: null, filtered, deduplicated: 0 };
  switch (document.kind) {
    case 'merge':
    case 'gather':
    case 'match': {
      const entries = engine.read(document.slices, slices, document.lower, document.upper);
      return { entries, order: engine.order(entries), ...rest };
    }
    case 'range': {
      const entries = engine.read(document.slices, slices);
      const { skip, count } = document;
      return { entries, order: Uint32Array.from({ length: count }, (_, i) => skip + i), ...rest };
    }
    case 'joined': {
      const entries = engine.read(document.slices.slice(0, 1), slices);
      const order = Uint32Array.from({ length: entries.count }, (_, entry) => entry);
      return { entries, order, ...rest };
    }
    case 'without': {
      invariant(input.kind === 'duplicates', 'a document is of its wave');
      return withoutDuplicates(document, slices, input, engine);
    }
  }
}

function withoutDuplicates(
  document: Extract<WaveDocument, { kind: 'without' }>,
  slices: readonly Uint8Array[],
  input: Extract<Exchange, { kind: 'duplicates' }>,
  engine: EntryEngine,
): TaskRecords {
  const entries = engine.read(document.slices.slice(0, 1), slices);
  const flags = new Uint8Array(entries.count);
  for (let list = 1; list < document.slices.length; list++) {
    verify(document.slices[list]!, slices[list] ?? NO_KEY);
    markOrdinals(slices[list]!, flags);
  }
  const all = Uint32Array.from({ length: entries.count }, (_, entry) => entry);
  if (input.onDuplicate === 'reject') {
    const refused = { flags, fault: duplicateFault(input) };
    return { entries, order: all, refused, filtered: 0, deduplicated: 0 };
  }
  const order = all.filter((entry) => flags[entry] === 0);
  const deduplicated = all.length - order.length;
  return { entries, order, refused: null, filtered: 0, deduplicated };
}

function duplicateFault({ by, records, number }: Extract<Exchange, { kind: 'duplicates' }>) {
  const names = by.map((name) => JSON.stringify(name)).join(', ');
  const what = by.length === 1 ? `The value of column ${names}` : `The values of columns ${names}`;
  const fields = records.layout?.fields ?? [];
  const column = by.length === 1 ? fields.findIndex(({ name }) => name === by[0]) : -1;
  const message = `${what} ${by.length === 1 ? 'was' : 'were'} there before`;
  return { column, code: 'unique-error', message, step: number ?? null };
}

/** Groups merged are read as a chunk of records, where they are not the output as they are. */
function runGroups(
  { entries, order }: TaskRecords,
  document: WaveDocument,
  source: CsvRecordSource,
  context: ChunkContext,
  parts: RunParts,
): ChunkResult {
  const { input } = context;
  invariant(input !== 'chunk' && input.kind === 'group', 'the wave before left groups');
  const { csv, groups, groupsIn } =
    input.reduced === undefined
      ? mergeGroups(entries, order, input.shape, parts.engine, isGathered(document))
      : mergeReduced(entries, order, input.shape);
  if (entries.count > 0 && isOutput(context)) {
    const counts = { recordsIn: groupsIn, records: groups, filtered: 0, deduplicated: 0 };
    return resultOf(counts, csv.length, { output: [csv], index: new Uint8Array(0) });
  }
  const run = new ChunkRun(context, inputView(context), csv, parts);
  for (const batch of source.batches(csv)) run.take(batch);
  if (entries.count > 0) return run.finish(0, { aggregated: groupsIn - groups });
  const result = run.finish(0);
  return { ...result, statistics: ofNoRecords(result.statistics) };
}

/** Whether the records that groups come as are those that a wave writes: RFC 4180 and nothing to do. A
 *  lone empty field is written otherwise. */
function isOutput({ steps, exchange, columns, write }: ChunkContext): boolean {
  const { header, bom } = write;
  const plain = canonicalJson({ ...PLAIN_CSV, header, bom });
  return (
    exchange === null && steps.length === 0 && columns.length > 1 && canonicalJson(write) === plain
  );
}

function isGathered(document: WaveDocument): boolean {
  return 'gathered' in document;
}

/** Entries on their way to the tasks that read those of many outputs. Keys are no records. */
function gather(
  { entries, order, filtered }: TaskRecords,
  document: Extract<WaveDocument, { kind: 'gather' }>,
  input: Exchange,
  { limits }: RunParts,
): ChunkResult {
  const gathered = gatherEntries(entries, order, input, document, limits.gatheredBlockBytes);
  const { output, exchange: index, groupsIn, groups } = gathered;
  const isOfKeys = input.kind === 'distinct' || input.kind === 'build';
  const counts = { recordsIn: groupsIn + filtered, records: groups, filtered, deduplicated: 0 };
  return resultOf(isOfKeys ? NO_RECORDS : counts, entries.bytes.length, { output, index });
}

/** The account of the one group of no records: nothing came in, whatever became of it. */
function ofNoRecords(statistics: ChunkStatistics): ChunkStatistics {
  const gone = { recordsOut: 0, filtered: 0, deduplicated: 0, aggregated: 0 };
  return { ...statistics, ...gone, recordsIn: statistics.rejected };
}

/** Keys are no records: they count as none. */
function compareKeys(
  { entries, order }: TaskRecords,
  document: WaveDocument,
  keep: 'first' | 'last',
): ChunkResult {
  const { output, exchange } = isGathered(document)
    ? findGatheredDuplicates(entries, keep, order)
    : findDuplicates(entries, document.slices, keep, order);
  return resultOf(NO_RECORDS, entries.bytes.length, {
    output,
    index: exchange,
  });
}

/** As above: the next wave takes the records. */
function matchKeys(
  { entries, order }: TaskRecords,
  document: Extract<WaveDocument, { kind: 'match' }>,
): ChunkResult {
  const { output, exchange } = findMatches(entries, document, order);
  return resultOf(NO_RECORDS, entries.bytes.length, {
    output,
    index: exchange,
  });
}

function matchesOf(
  { entries }: TaskRecords,
  document: WaveDocument,
  slices: readonly Uint8Array[],
): { readonly matches: StoredMatches } {
  const lists = document.slices.slice(1).map((slice, i) => {
    const list = slices[i + 1] ?? NO_KEY;
    verify(slice, list);
    return list;
  });
  return { matches: new StoredMatches(entries, lists) };
}

/** What is known of groups, of which each came once for each partial that has it. */
function reduce(
  { entries, order }: TaskRecords,
  document: WaveDocument,
  { shape }: Extract<Exchange, { kind: 'values' }>,
  { limits }: RunParts,
): ChunkResult {
  invariant(document.kind === 'merge', 'values are merged');
  const reduced = reduceValues(entries, order, shape, document, limits.blockBytes);
  const { output, exchange: index, groupsIn: recordsIn, groups: records } = reduced;
  const counts = { recordsIn, records, filtered: 0, deduplicated: 0 };
  return resultOf(counts, entries.bytes.length, { output, index });
}

/** Keys are no records: one that is picked counts as none. */
function pick(
  document: Extract<WaveDocument, { kind: 'pick' }>,
  slices: readonly Uint8Array[],
  input: Exchange,
  { limits }: RunParts,
): ChunkResult {
  invariant(input.kind === 'portions', 'a document is of its wave');
  const { output, exchange } = pickValue(document, slices, input.shape, limits.blockBytes);
  const bytes = slices.reduce((sum, { length }) => sum + length, 0);
  return resultOf(NO_RECORDS, bytes, { output, index: exchange });
}

/** Records that are written as they come. */
function copyRecords(
  { entries, order, filtered, deduplicated }: TaskRecords,
  { exchange }: ChunkContext,
  { engine, limits }: RunParts,
): ChunkResult {
  let records = order.length;
  if (exchange !== null) {
    invariant(exchange.kind === 'limit', 'no columns are needed any more');
    records = Math.min(records, takeOf(exchange));
  }
  const kept = order.subarray(0, records);
  const written =
    exchange === null
      ? { output: engine.copyRecords(entries, kept), index: new Uint8Array(0) }
      : writeInOrder(entries, kept, limits);
  const recordsIn = order.length + filtered + deduplicated;
  const counts = { recordsIn, records, deduplicated };
  return resultOf(
    { ...counts, filtered: recordsIn - records - deduplicated },
    entries.bytes.length,
    written,
  );
}

/** Records as entries that another limit reads. */
function writeInOrder(
  { bytes, keyEnds, recordEnds }: Entries,
  order: Uint32Array,
  { blockBytes }: ExchangeLimits,
): WrittenEntries {
  const writer = new EntryWriter(blockBytes);
  for (const entry of order) {
    writer.add(NO_KEY, 0, 0, bytes, keyEnds[entry]!, recordEnds[entry]!);
  }
  return writer.finish(NO_KEY);
}

const NO_RECORDS = { recordsIn: 0, records: 0, filtered: 0, deduplicated: 0 };

/** Records that are neither put out nor lost otherwise were aggregated. */
function resultOf(
  counts: typeof NO_RECORDS,
  bytesIn: number,
  { output, index }: WrittenEntries,
): ChunkResult {
  const { recordsIn, records, filtered, deduplicated } = counts;
  const aggregated = recordsIn - records - filtered - deduplicated;
  return {
    statistics: {
      ...{ recordsIn, recordsOut: records, rejected: 0, filtered, deduplicated, aggregated },
      ...{ lines: 0, bytesIn, outputRecords: records },
      outputBytes: output.reduce((sum, part) => sum + part.length, 0),
    },
    output,
    rejects: new Uint8Array(0),
    partial: encodePartial({}),
    exchange: index,
  };
}
