import type { EntryEngine } from '../exchange/entry-engine.ts';
import { groupEntries } from '../exchange/group-entries.ts';
import type { ValueCollector } from '../exchange/value-entries.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { RecordSink, SinkOutput } from './record-sink.ts';

/** An aggregate, and where the values of its spread measures are. */
interface GroupSource {
  readonly values: ValueCollector | null;
  toGroups(): Uint8Array;
}

/** Takes no records, as an aggregate leaves none, but its groups. */
export class GroupSink implements RecordSink {
  private readonly aggregate: GroupSource;
  private readonly blockBytes: number;
  private readonly engine: EntryEngine;

  constructor(aggregate: GroupSource, { blockBytes }: ExchangeLimits, engine: EntryEngine) {
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
    const { aggregate, blockBytes, engine } = this;
    const partial = aggregate.toGroups();
    const { output, index, groups } =
      aggregate.values?.finish(partial, blockBytes, engine) ??
      groupEntries(partial, blockBytes, engine);
    return { output, exchange: index, records: 0, deduplicated: 0, groups };
  }
}
