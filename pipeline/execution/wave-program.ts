import { invariant } from '../errors.ts';
import { readEntries, type Entries } from '../exchange/entries.ts';
import { EntryWriter } from '../exchange/entry-writer.ts';
import { orderByKey } from '../exchange/order-by-key.ts';
import { decodeDocument, storedSlice, type WaveDocument } from '../exchange/wave-document.ts';
import type { ExchangeLimits } from '../limits.ts';
import { encodePartial } from '../result/partial.ts';
import { CellsSource } from './cells-source.ts';
import { ChunkRun, type RunParts } from './chunk-run.ts';
import { inputView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { OutputBuffer } from './output-buffer.ts';
import type { ChunkProgram, ChunkResult } from './program.ts';
import { takeOf } from './record-sink.ts';

/** The program of a wave behind the first: its tasks' bytes are documents, see `WaveDocument`. */
export function createWaveProgram(
  context: ChunkContext,
  parts: RunParts,
): Pick<ChunkProgram, 'slices' | 'run'> {
  const { input } = context;
  invariant(input !== 'chunk', 'a later wave reads slices');
  return {
    slices: (bytes) => decodeDocument(bytes).slices.map(storedSlice),
    run(bytes, slices = []) {
      const document = decodeDocument(bytes);
      const { entries, order } = readDocument(document, slices);
      if (input.records.layout === null) {
        return copyRecords(entries, order, document.filtered, context, parts.limits);
      }
      const view = inputView(context);
      const run = new ChunkRun(context, view, entries.bytes, parts);
      const source = new CellsSource(view, context, entries);
      for (const batch of source.batches(order)) run.take(batch);
      return run.finish(0, document.filtered);
    },
  };
}

/** The entries that a task is about, and their order. */
function readDocument(
  document: WaveDocument,
  slices: readonly Uint8Array[],
): { readonly entries: Entries; readonly order: Uint32Array } {
  switch (document.kind) {
    case 'merge': {
      const entries = readEntries(document.slices, slices, document.lower, document.upper);
      const { bytes, keyStarts, keyEnds, count } = entries;
      return { entries, order: orderByKey(bytes, keyStarts, keyEnds, count) };
    }
    case 'range': {
      const entries = readEntries(document.slices, slices);
      const { skip, count } = document;
      return { entries, order: Uint32Array.from({ length: count }, (_, i) => skip + i) };
    }
  }
}

const NO_KEY = new Uint8Array(0);

/** Records that are written as they come. */
function copyRecords(
  entries: Entries,
  order: Uint32Array,
  filtered: number,
  { exchange }: ChunkContext,
  { blockBytes }: ExchangeLimits,
): ChunkResult {
  const { bytes, keyEnds, recordEnds } = entries;
  let records = order.length;
  if (exchange !== null) {
    invariant(exchange.kind === 'limit', 'no columns are needed any more');
    records = Math.min(records, takeOf(exchange));
  }
  const writer = new EntryWriter(blockBytes);
  const buffer = new OutputBuffer();
  for (let i = 0; i < records; i++) {
    const entry = order[i]!;
    if (exchange === null) buffer.copy(bytes, keyEnds[entry]!, recordEnds[entry]!);
    else writer.add(NO_KEY, 0, 0, bytes, keyEnds[entry]!, recordEnds[entry]!);
  }
  const written =
    exchange === null
      ? { output: buffer.finish(), index: new Uint8Array(0) }
      : writer.finish(NO_KEY);
  return {
    statistics: {
      recordsIn: order.length + filtered,
      recordsOut: records,
      ...{ rejected: 0, filtered: filtered + order.length - records },
      ...{ deduplicated: 0, aggregated: 0, lines: 0, bytesIn: bytes.length },
      outputRecords: records,
      outputBytes: written.output.reduce((sum, part) => sum + part.length, 0),
    },
    output: written.output,
    rejects: new Uint8Array(0),
    partial: encodePartial({}),
    exchange: written.index,
  };
}
