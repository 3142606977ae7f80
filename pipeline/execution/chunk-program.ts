import { entryEngine } from '../exchange/choose-engine.ts';
import { EXCHANGE_LIMITS, type ExchangeLimits } from '../limits.ts';
import type { KernelModule } from '../parsing/structural/kernel.ts';
import { ChunkRun } from './chunk-run.ts';
import { inputView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { createRecordSource } from './create-record-source.ts';
import { lookupTables } from './join/lookup-tables.ts';
import { createOperatorKernels } from './operator-kernels.ts';
import { finished } from './program.ts';
import type { ChunkProgram, ChunkResult } from './program.ts';
import { readsNoCell } from './reads-no-cell.ts';
import { createWaveProgram } from './wave-program.ts';

export type { Slice } from '../exchange/wave-document.ts';
export type { ChunkProgram, ChunkResult } from './program.ts';

/** Builds the program of a context that `compilePlan` made. Without a kernel it is all TypeScript:
 *  slower, with the same results. `lookups` are the texts of the context's `lookupKeys`. */
export function createChunkProgram(
  context: ChunkContext,
  kernel: KernelModule | null = null,
  lookups: ReadonlyMap<string, Uint8Array> = new Map(),
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): ChunkProgram {
  const engine = entryEngine(kernel);
  const tables = lookupTables(context, lookups);
  const lookupMemoryBytes = [...tables.values()].reduce((sum, table) => sum + table.memoryBytes, 0);
  if (context.input !== 'chunk') {
    const parts = { ...createOperatorKernels(context, null), tables, limits, engine };
    return programOf({ ...createWaveProgram(context, parts, kernel), lookupMemoryBytes });
  }
  const source = createRecordSource(context, kernel);
  const isCounting = readsNoCell(context);
  const parts = { ...createOperatorKernels(context, source.kernel), tables, limits, engine };
  return programOf({
    slices: () => [],
    lookupMemoryBytes,
    *steps(bytes) {
      const run = new ChunkRun(context, inputView(context), bytes, parts);
      const counted = isCounting ? source.countedBatches?.(bytes) : undefined;
      for (const batch of counted ?? source.batches(bytes)) {
        run.take(batch);
        yield;
      }
      const result = run.finish(source.lines);
      return context.exchange?.kind === 'build' ? ofNoRecords(result) : result;
    },
  });
}

function programOf(program: Omit<ChunkProgram, 'run'>): ChunkProgram {
  return { ...program, run: (bytes, slices) => finished(program.steps(bytes, slices)) };
}

/** Records of a lookup are none of the input's: they count as none. */
function ofNoRecords(result: ChunkResult): ChunkResult {
  const none = { recordsIn: 0, recordsOut: 0, filtered: 0, outputRecords: 0 };
  return { ...result, statistics: { ...result.statistics, ...none } };
}
