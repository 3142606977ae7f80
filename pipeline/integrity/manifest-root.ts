import { createHash } from 'node:crypto';
import { canonicalJson } from '../keys/canonical-json.ts';
import type { ManifestIntegrity, OutputPart } from '../protocol/index.ts';
import { MerkleTree } from './merkle-tree.ts';

/** Part of the root: raise it when what is hashed changes. */
export const INTEGRITY_RECIPE = 1;

/** A chunk as the input's tree holds it. */
export interface InputPart {
  readonly chunkKey: string;
  /** Of the chunk in the decoded input. */
  readonly bytes: number;
}

/** Root over the chunks in file order. */
export function inputRoot(chunks: Iterable<InputPart>): string {
  const tree = new MerkleTree();
  for (const { chunkKey, bytes } of chunks) tree.add(canonicalJson({ bytes, chunkKey }));
  return tree.root();
}

/** Root over the parts of the output in order. */
export function outputRoot(parts: Iterable<Pick<OutputPart, 'start' | 'end' | 'sha256'>>): string {
  const tree = new MerkleTree();
  for (const { start, end, sha256 } of parts) tree.add(canonicalJson({ start, end, sha256 }));
  return tree.root();
}

/** Hash of a plan as data: its spelling, order of members and comments do not count. */
export function planHash(plan: unknown): string {
  // What YAML knows and JSON does not comes to what the API shows of it.
  const data: unknown = JSON.parse(JSON.stringify(plan ?? null));
  return sha256(canonicalJson(data));
}

/** The one hash of a job: of what went in, what was done, and what came out. */
export function manifestRoot(integrity: Omit<ManifestIntegrity, 'root'>): string {
  const { recipe, hash, engine, input, plan, output, totals, failedChunks } = integrity;
  const { bytes, records, omitted, root } = output;
  return sha256(
    canonicalJson({
      ...{ kind: 'manifest', recipe, hash, engine, input, plan, totals, failedChunks },
      output: { bytes, records, omitted, root },
    }),
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
