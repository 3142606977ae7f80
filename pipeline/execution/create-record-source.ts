import type { KernelModule } from '../parsing/structural/kernel.ts';
import type { ChunkContext } from './context.ts';
import { CsvRecordSource } from './csv-source.ts';
import { NdjsonRecordSource } from './ndjson-source.ts';
import { NotationSource } from './notation-source.ts';
import type { RecordSource } from './record-source.ts';

/** Reads chunks as the context says; with the kernel where there is one that can. */
export function createRecordSource(
  context: ChunkContext,
  kernel: KernelModule | null,
): RecordSource {
  const source =
    context.format === 'ndjson'
      ? new NdjsonRecordSource(context)
      : new CsvRecordSource(context, kernel);
  const { notations = [] } = context;
  return notations.length === 0 ? source : new NotationSource(source, context, notations);
}
