import { invariant, SluiceError } from '../errors.ts';
import { AggregateMerger } from '../aggregation/merge-aggregates.ts';
import { readAggregateHead } from '../aggregation/partial-codec.ts';
import type { AggregateShape } from '../aggregation/shape.ts';
import { ProfileMerger } from '../profile/merge-profiles.ts';
import { readProfileHead } from '../profile/partial-codec.ts';
import type { ColumnProfile } from '../protocol/job.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';

const VERSION = 1;

export interface PartialContent {
  /** From `ProfileAccumulator.toPartial()`. */
  readonly profile?: Uint8Array | null;
  /** From `AggregateAccumulator.toPartial()`. */
  readonly aggregate?: Uint8Array | null;
}

/** The partial section of a result: a version byte, then profile and aggregate, each as its length
 *  and bytes, 0 when there is none. Empty when there is neither. */
export function encodePartial(content: PartialContent): Uint8Array {
  const profile = content.profile ?? new Uint8Array(0);
  const aggregate = content.aggregate ?? new Uint8Array(0);
  if (profile.length + aggregate.length === 0) return new Uint8Array(0);
  const writer = new ByteWriter();
  writer.byte(VERSION);
  writer.block(profile);
  writer.count(aggregate.length);
  const head = writer.finish();
  const partial = new Uint8Array(head.length + aggregate.length);
  partial.set(head);
  partial.set(aggregate, head.length);
  return partial;
}

/** The inverse of `encodePartial`; views on the bytes. Throws `blob-corrupt`. */
export function decodePartial(partial: Uint8Array): Required<PartialContent> {
  if (partial.length === 0) return { profile: null, aggregate: null };
  const reader = new ByteReader(partial);
  if (reader.byte() !== VERSION) {
    throw new SluiceError('blob-corrupt', 'A partial has another format or version');
  }
  const profile = reader.block();
  const aggregate = reader.block();
  if (!reader.done) throw new SluiceError('blob-corrupt', 'A partial is longer than it says');
  return {
    profile: profile.length === 0 ? null : profile,
    aggregate: aggregate.length === 0 ? null : aggregate,
  };
}

/** What to expect of partials; what is left out is learnt from the first partial that has it. */
export interface PartialMergerOptions {
  /** Gives an aggregate of no input its one group when it has no keys. */
  readonly aggregate?: AggregateShape;
  /** Names of the profiled columns: gives a profile of no input its columns. */
  readonly profileNames?: readonly string[];
}

/**
 * Merges the partials of a job's chunks, each once, in any order. Holds the groups and sketches
 * only, never the partials. Throws `blob-corrupt` and `group-limit`.
 */
export class PartialMerger {
  #profile: ProfileMerger | null;
  #aggregate: AggregateMerger | null;

  constructor(options: PartialMergerOptions = {}) {
    const { aggregate, profileNames } = options;
    this.#aggregate = aggregate === undefined ? null : new AggregateMerger(aggregate);
    this.#profile = profileNames === undefined ? null : new ProfileMerger(profileNames);
  }

  add(partial: Uint8Array): void {
    const { profile, aggregate } = decodePartial(partial);
    if (profile !== null) {
      this.#profile ??= new ProfileMerger(readProfileHead(profile).names);
      this.#profile.add(profile);
    }
    if (aggregate !== null) {
      this.#aggregate ??= new AggregateMerger(readAggregateHead(aggregate).shape);
      this.#aggregate.add(aggregate);
    }
  }

  /** Records behind the profile. */
  get profiledRecords(): number {
    return this.#profile?.records ?? 0;
  }

  /** Records behind the aggregate. */
  get aggregatedRecords(): number {
    return this.#aggregate?.records ?? 0;
  }

  /** Groups of the aggregate: the records that `aggregateChunk` would give. */
  get groupCount(): number {
    return this.#aggregate?.groupCount ?? 0;
  }

  /** The profile so far; null when no partial had one. */
  profile(): ColumnProfile[] | null {
    return this.#profile?.toColumnProfiles() ?? null;
  }

  /** The groups so far as RFC 4180 records, see `AggregateMerger.toCsvChunk`; null when none. */
  aggregateChunk(): Uint8Array | null {
    return this.#aggregate?.toCsvChunk() ?? null;
  }

  /** Everything merged, as one partial: merging it elsewhere gives the same again. */
  toPartial(): Uint8Array {
    const profile = this.#profile?.toPartial() ?? null;
    const aggregate = this.#aggregate?.toPartial() ?? null;
    invariant(profile === null || profile.length > 0, 'a profile has names');
    return encodePartial({ profile, aggregate });
  }
}
