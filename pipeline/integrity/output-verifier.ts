import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { SluiceError } from '../errors.ts';
import type { Manifest, ManifestIntegrity, OutputPart } from '../protocol/index.ts';
import {
  INTEGRITY_RECIPE,
  inputRoot,
  manifestRoot,
  outputRoot,
  planHash,
} from './manifest-root.ts';

/** What the bytes came to. */
export type OutputVerdict =
  | { readonly kind: 'whole' }
  /** `part` is the first that differs; `partsDiffering` counts all, those that are missing too. */
  | { readonly kind: 'changed'; readonly part: OutputPart; readonly partsDiffering: number }
  /** The output ends in `part`, and all before it is right. */
  | { readonly kind: 'cut'; readonly part: OutputPart; readonly bytes: number }
  /** All is right, and more follows. */
  | { readonly kind: 'longer'; readonly extraBytes: number };

/**
 * Checks that a manifest agrees with itself and returns its hashes. Errors: `bad-request`, when a
 * root is not that of its list, parts leave a gap, or there are none because the job was not done.
 */
export function checkedIntegrity(manifest: Manifest): ManifestIntegrity {
  const { integrity, chunks } = manifest;
  if (integrity === null) {
    throw refused('it was written before its job was done: download it again');
  }
  if (integrity.recipe !== INTEGRITY_RECIPE) {
    throw refused(
      `it follows recipe ${integrity.recipe}, and this Sluice knows ${INTEGRITY_RECIPE}`,
    );
  }
  const { input, output, root } = integrity;
  let end = 0;
  for (const part of output.parts) {
    if (part.start !== end || part.end < part.start)
      throw refused(`its parts leave a gap at ${end}`);
    end = part.end;
  }
  if (end !== output.bytes) throw refused(`its parts end at ${end}, and not at ${output.bytes}`);
  // Tasks of later waves read what earlier ones gave: they are no part of the input.
  const ofInput = chunks.filter(({ wave }) => wave === 0);
  if (ofInput.length !== input.chunks || inputRoot(ofInput) !== input.root) {
    throw refused('its chunks are not those that the root of the input was made of');
  }
  if (outputRoot(output.parts) !== output.root) {
    throw refused('its parts are not those that the root of the output was made of');
  }
  if (manifestRoot(integrity) !== root) throw refused('its root is not that of what it says');
  const other = memberThatDiffers(manifest, integrity);
  if (other !== null) throw refused(`its ${other} differs from what its root was made of`);
  return integrity;
}

/** What people read of the account beside the hashes: it stands in both. */
function memberThatDiffers(
  { engine, inputHash, contextKey, plan, totals, chunks }: Manifest,
  integrity: ManifestIntegrity,
): string | null {
  const { output } = integrity;
  const counted = Object.entries(integrity.totals) as [keyof typeof integrity.totals, number][];
  const failed = chunks.filter(({ status }) => status === 'failed').map(({ index }) => index);
  const isSame = {
    engine: engine === integrity.engine,
    inputHash: inputHash === integrity.input.hash,
    contextKey: contextKey === integrity.plan.contextKey,
    plan: planHash(plan) === integrity.plan.sha256,
    totals:
      counted.every(([name, count]) => totals[name] === count) &&
      totals.resultBytes === output.bytes &&
      totals.resultRecords === output.records,
    'list of failed chunks': failed.join() === integrity.failedChunks.join(),
  };
  return Object.entries(isSame).find(([, same]) => !same)?.[0] ?? null;
}

/** Holds the bytes of a result, as they come, against the parts of a manifest. */
export class OutputVerifier {
  readonly #output: ManifestIntegrity['output'];
  readonly #firstChunk: number;
  #at = 0;
  #part = 0;
  #hash: Hash;
  #firstChanged: OutputPart | null = null;
  #changedCount = 0;

  constructor({ output }: ManifestIntegrity) {
    this.#output = output;
    this.#firstChunk = output.parts.findIndex(({ kind }) => kind === 'chunk');
    this.#hash = this.#startPart();
    this.#endParts();
  }

  /** Bytes seen so far. */
  get bytes(): number {
    return this.#at;
  }

  push(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const part = this.#output.parts[this.#part];
      if (part === undefined) {
        this.#at += bytes.length - from;
        return;
      }
      const take = Math.min(bytes.length - from, part.end - this.#at);
      this.#hash.update(bytes.subarray(from, from + take));
      this.#at += take;
      from += take;
      this.#endParts();
    }
  }

  /** To be called once, after the last byte. */
  finish(): OutputVerdict {
    const { parts, bytes } = this.#output;
    const cut = parts[this.#part];
    if (this.#firstChanged !== null) {
      const partsDiffering = this.#changedCount + parts.length - this.#part;
      return { kind: 'changed', part: this.#firstChanged, partsDiffering };
    }
    if (cut !== undefined) return { kind: 'cut', part: cut, bytes: this.#at };
    if (this.#at > bytes) return { kind: 'longer', extraBytes: this.#at - bytes };
    return { kind: 'whole' };
  }

  /** Closes the part that is complete, and those without bytes behind it. */
  #endParts(): void {
    const { parts } = this.#output;
    for (let part = parts[this.#part]; part?.end === this.#at; part = parts[this.#part]) {
      if (this.#hash.digest('hex') !== part.sha256) {
        this.#firstChanged ??= part;
        this.#changedCount += 1;
      }
      this.#part += 1;
      this.#hash = this.#startPart();
    }
  }

  #startPart(): Hash {
    const hash = createHash('sha256');
    return this.#part === this.#firstChunk ? hash.update(this.#output.omitted) : hash;
  }
}

function refused(why: string): SluiceError {
  return new SluiceError('bad-request', `the manifest cannot be used: ${why}`);
}
