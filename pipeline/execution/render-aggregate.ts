import { RFC_4180 } from '../parsing/dialect.ts';
import type { Step } from '../plan/step.ts';
import type { Column } from '../protocol/job.ts';
import { createChunkProgram, type ChunkResult } from './chunk-program.ts';
import { ENGINE_VERSION, type ChunkContext, type OutputEncoding } from './context.ts';

/** How the groups of an aggregate become output records. */
export interface AggregateRendering {
  /** Columns of the groups: keys, then measures. */
  readonly columns: readonly Column[];
  /** Steps behind the aggregate. */
  readonly steps: readonly Step[];
  readonly write: OutputEncoding;
}

/**
 * Runs the steps behind an aggregate over its merged groups, which come as RFC 4180 records without
 * header, NULL as an empty field. A result too big for a chunk's memory is given in several calls.
 */
export function renderAggregate(groups: Uint8Array, rendering: AggregateRendering): ChunkResult {
  return createChunkProgram(aggregateContext(rendering)).run(groups);
}

/** The context under which groups are read and written. */
export function aggregateContext({ columns, steps, write }: AggregateRendering): ChunkContext {
  return {
    engine: ENGINE_VERSION,
    input: 'chunk',
    format: 'groups',
    dialect: { ...RFC_4180, header: false },
    columns,
    nullstr: [''],
    onError: 'fail',
    nullPadding: false,
    steps,
    write,
    exchange: null,
  };
}
