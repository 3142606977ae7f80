/**
 * What became of the records of a source batch that went into a join, where one record may become
 * many. A record counts once, by the first of these that holds: a record that it became was
 * rejected, came out, went into a group; else all that it became were filtered.
 */
export class JoinedFates {
  private readonly fates: Uint8Array;

  constructor(recordCount: number) {
    this.fates = new Uint8Array(recordCount);
  }

  note(record: number, fate: Fate): void {
    if (this.fates[record]! < fate) this.fates[record] = fate;
  }

  isRejected(record: number): boolean {
    return this.fates[record] === Fate.rejected;
  }

  /** Records of that fate. */
  count(fate: Fate): number {
    let count = 0;
    for (const one of this.fates) if (one === fate) count++;
    return count;
  }
}

export const Fate = { joined: 1, aggregated: 2, out: 3, rejected: 4 } as const;
export type Fate = (typeof Fate)[keyof typeof Fate];
