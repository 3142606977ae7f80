import type { KernelModule } from '../parsing/structural/kernel.ts';
import type { ChunkContext } from './context.ts';
import { CsvRecordSource } from './csv-source.ts';
import { NdjsonRecordSource } from './ndjson-source.ts';
import type { RecordSource } from './record-source.ts';

/** Reads chunks as the context says; with the kernel where there is one that can. */
export function createRecordSource(
  context: ChunkContext,
  kernel: KernelModule | null,
): RecordSource {
  if (context.format === 'ndjson') return new NdjsonRecordSource(context);
  return new CsvRecordSource(context, kernel);
}
