import { invariant } from '../errors.ts';
import type { ColumnProfile } from '../protocol/job.ts';
import { ColumnStatistics } from './column-statistics.ts';
import { encodeProfile, readProfileHead } from './partial-codec.ts';

/** Merges partials of one profile, in any order and grouping. Throws `blob-corrupt`. */
export class ProfileMerger {
  readonly #names: readonly string[];
  readonly #columns: readonly ColumnStatistics[];
  #records = 0;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#columns = names.map(() => new ColumnStatistics(names.length));
  }

  /** Records profiled so far. */
  get records(): number {
    return this.#records;
  }

  add(partial: Uint8Array): void {
    const { names, records, reader } = readProfileHead(partial);
    const isSame = names.length === this.#names.length;
    invariant(isSame, 'partials of different profiles are never merged');
    for (const column of this.#columns) column.merge(reader);
    this.#records += records;
  }

  /** All columns as one partial. */
  toPartial(): Uint8Array {
    return encodeProfile(this.#names, this.#records, this.#columns);
  }

  toColumnProfiles(): ColumnProfile[] {
    return this.#columns.map((column, i) => column.toProfile(this.#names[i]!));
  }
}

/** One partial of several. At least one must be given. */
export function mergeProfiles(partials: readonly Uint8Array[]): Uint8Array {
  const first = partials[0];
  invariant(first !== undefined, 'there is a partial to merge');
  const merger = new ProfileMerger(readProfileHead(first).names);
  for (const partial of partials) merger.add(partial);
  return merger.toPartial();
}
