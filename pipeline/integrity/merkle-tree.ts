import { createHash } from 'node:crypto';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/**
 * Root of the Merkle tree over a list, as RFC 9162 section 2.1 defines it with SHA-256: leaves and
 * inner nodes are hashed with different first bytes, and no leaf is counted twice to fill a level.
 * O(log n) memory. As 64 hexadecimal digits.
 */
export class MerkleTree {
  /** Roots of the complete subtrees so far, largest first: one for each bit of the count. */
  readonly #peaks: Uint8Array[] = [];
  #count = 0;

  /** Leaves added so far. */
  get count(): number {
    return this.#count;
  }

  add(leaf: string): void {
    let hash: Uint8Array = createHash('sha256').update(LEAF).update(leaf, 'utf8').digest();
    for (let bits = this.#count; bits % 2 === 1; bits = (bits - 1) / 2) {
      hash = parentOf(this.#peaks.pop()!, hash);
    }
    this.#peaks.push(hash);
    this.#count += 1;
  }

  root(): string {
    const last = this.#peaks.at(-1);
    if (last === undefined) return createHash('sha256').digest('hex');
    const others = this.#peaks.slice(0, -1);
    const root = others.reduceRight((right, left) => parentOf(left, right), last);
    return Buffer.from(root).toString('hex');
  }
}

function parentOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}
