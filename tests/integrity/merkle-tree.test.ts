import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MerkleTree } from '../../pipeline/integrity/merkle-tree.ts';

/** RFC 9162 2.1.1 as it is written there: recursive, splitting at the largest power of two below n. */
function treeHead(leaves: readonly Buffer[]): Buffer {
  const sha256 = (...parts: Uint8Array[]) =>
    createHash('sha256').update(Buffer.concat(parts)).digest();
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return sha256(Buffer.of(0), only);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(Buffer.of(1), treeHead(leaves.slice(0, split)), treeHead(leaves.slice(split)));
}

function rootOf(leaves: readonly string[]): string {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.add(leaf);
  expect(tree.count).toBe(leaves.length);
  return tree.root();
}

describe('the Merkle tree', () => {
  // The test vectors of Certificate Transparency's reference implementation for these leaves.
  it('has the published heads', () => {
    expect(rootOf([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(rootOf([''])).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    expect(rootOf(['', '\0'])).toBe(
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    );
  });

  it('is the recursive definition for every count', () => {
    for (let count = 0; count <= 70; count++) {
      const leaves = Array.from({ length: count }, (_, at) => `leaf ${at}`);
      const wanted = treeHead(leaves.map((leaf) => Buffer.from(leaf))).toString('hex');
      expect(rootOf(leaves), `${count} leaves`).toBe(wanted);
    }
  });

  it('can be asked for its root in between', () => {
    const tree = new MerkleTree();
    for (const leaf of ['a', 'b', 'c']) {
      tree.add(leaf);
      tree.root();
    }
    expect(tree.root()).toBe(rootOf(['a', 'b', 'c']));
  });
});
