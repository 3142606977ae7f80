import type { EntryEngine } from '../exchange/entry-engine.ts';
import { groupEntries } from '../exchange/group-entries.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { RecordSink, SinkOutput } from './record-sink.ts';

/** Takes no records, as an aggregate leaves none, but its groups. */
export class GroupSink implements RecordSink {
  private readonly aggregate: { toGroups(): Uint8Array };
  private readonly blockBytes: number;
  private readonly engine: EntryEngine;

  constructor(
    aggregate: { toGroups(): Uint8Array },
    { blockBytes }: ExchangeLimits,
    engine: EntryEngine,
  ) {
    this.engine = engine;
    this.aggregate = aggregate;
    this.blockBytes = blockBytes;
  }

  prepare(): void {
    // There is nothing to read.
  }

  take(): void {
    // An aggregate takes all records.
  }

  get length(): number {
    return 0;
  }

  finish(): SinkOutput {
    const { output, index, groups } = groupEntries(
      this.aggregate.toGroups(),
      this.blockBytes,
      this.engine,
    );
    return { output, exchange: index, records: 0, deduplicated: 0, groups };
  }
}
