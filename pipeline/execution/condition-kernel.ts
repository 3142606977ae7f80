import type { Kernel } from '../parsing/structural/kernel.ts';
import type { Batch } from './batch.ts';
import type { ConditionProgram, Instruction } from './condition-program.ts';
import { FIELD_FRAME_WORDS, type KernelBatch, SCRATCH_BYTES, SLACK_BYTES } from './kernel-batch.ts';

/** `FilterFrame` and `Instruction` in `assembly/filter/frame.ts`. */
const FRAME_BYTES = 128;
const SELECTED_COUNT = FIELD_FRAME_WORDS + 1;
const LEFT_COUNT = FIELD_FRAME_WORDS + 14;
const INSTRUCTION_BYTES = 32;
const VALUE_BYTES = 8;

/**
 * A condition inside the kernel. Takes batches that lie in its memory, and says which records it
 * leaves to the reference: those with numbers or times in rare spellings or of many digits, and all
 * that do not cast.
 */
export class ConditionKernel {
  readonly #batches: KernelBatch;
  readonly #kernel: Kernel;
  readonly #frame: number;
  readonly #leftRecords: number;

  /**
   * @param keepsUnknown keeps the records for which the condition is not false, and leaves those for
   *   which it is to the reference; else keeps those for which it is true
   */
  constructor(batches: KernelBatch, program: ConditionProgram, keepsUnknown: boolean) {
    const { kernel } = batches;
    const { loadCount, truthCount, instructions } = program;
    const recordsMax = Math.ceil(kernel.recordsMax / 64) * 64;
    const bitmapBytes = recordsMax / 8;
    this.#batches = batches;
    this.#kernel = kernel;
    this.#frame = kernel.reserve(FRAME_BYTES);
    this.#leftRecords = kernel.reserve(4 * recordsMax);
    const literals = kernel.reserve(program.literals.length + SLACK_BYTES);
    const steps = kernel.reserve(instructions.length * INSTRUCTION_BYTES);
    const values = kernel.reserve(loadCount * recordsMax * VALUE_BYTES);
    const valids = kernel.reserve(loadCount * bitmapBytes);
    const truths = kernel.reserve(truthCount * 2 * bitmapBytes);
    const left = kernel.reserve(bitmapBytes);
    const scratch = kernel.reserve(SCRATCH_BYTES + SLACK_BYTES);
    placeLiterals(kernel, literals, program);
    const words = new Uint32Array(kernel.buffer, steps, instructions.length * 8);
    words.set(instructions.flatMap((step) => wordsOf(step, literals, truths, bitmapBytes)));
    this.#words().set(
      [
        ...[batches.selection, 0, steps, instructions.length, values, valids, truths, left],
        ...[recordsMax * VALUE_BYTES, bitmapBytes, keepsUnknown ? 1 : 0, scratch, SCRATCH_BYTES],
        ...[this.#leftRecords, 0],
      ],
      FIELD_FRAME_WORDS,
    );
  }

  holds(batch: Batch): boolean {
    return this.#batches.holds(batch);
  }

  /** Narrows the batch to the records that stay for sure. Returns those that the reference has to
   *  decide on, ascending; valid until the next call. */
  select(batch: Batch): Uint32Array {
    this.#batches.enter(batch, this.#frame);
    const words = this.#words();
    words[SELECTED_COUNT] = batch.selectedCount;
    const kept = this.#kernel.exports.select(this.#frame);
    batch.selection.set(this.#batches.selected(kept));
    batch.selectedCount = kept;
    return new Uint32Array(this.#kernel.buffer, this.#leftRecords, words[LEFT_COUNT]);
  }

  #words(): Uint32Array {
    return new Uint32Array(this.#kernel.buffer, this.#frame, FRAME_BYTES / 4);
  }
}

function wordsOf(
  { kind, target, a, b, c, d, isLiteral, skip }: Instruction,
  literals: number,
  truths: number,
  bitmapBytes: number,
): number[] {
  const decided = skip === null ? 0 : 2 * skip.truths + (skip.side === 'no' ? 1 : 0);
  const skipPointer = skip === null ? 0 : truths + decided * bitmapBytes;
  return [kind, target, a, b, isLiteral ? literals + c : c, d, skipPointer, 0];
}

/** Copies the literals to `base`, turns offsets in them into pointers, and fills the sets. */
function placeLiterals(kernel: Kernel, base: number, program: ConditionProgram): void {
  const { literals, pointers, sets } = program;
  new Uint8Array(kernel.buffer, base, literals.length).set(literals);
  const words = new Uint32Array(kernel.buffer, base, Math.ceil(literals.length / 4));
  for (const at of pointers) words[at / 4]! += base;
  for (const { at, members } of sets) {
    for (const member of members) {
      kernel.exports.addMember(base + at, base + member.at, member.length);
    }
  }
}
