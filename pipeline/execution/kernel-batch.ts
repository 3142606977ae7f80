import type { Dialect } from '../parsing/dialect.ts';
import type { Kernel, KernelArrays } from '../parsing/structural/kernel.ts';
import type { Batch } from './batch.ts';

/** What the kernel takes. */
const NULL_TEXTS_MAX = 8;
const NULL_TEXT_BYTES_MAX = 16;
const NULL_TEXT_ENTRY_BYTES = 32;
/** Stands for "no quote": no byte has this value. */
const NO_QUOTE = 256;

/** `FieldFrame` in `assembly/field.ts`, in words: every frame of an operator begins with it. */
export const FIELD_FRAME_WORDS = 8;

/** Longest text whose doubled quotes the kernel resolves, and what it may read or write behind. */
export const SCRATCH_BYTES = 4096;
export const SLACK_BYTES = 64;

/**
 * The batch at hand as operators in the kernel see it: which records are selected, and where their
 * fields begin. One for all operators of a program; each enters the batch before its turn.
 */
export class KernelBatch {
  readonly kernel: Kernel;
  /** Pointer to the selected records. */
  readonly selection: number;
  readonly #firstFields: number;
  readonly #nullTexts: number;
  readonly #nullTextCount: number;
  readonly #emptyIsNull: boolean;
  readonly #quote: number;

  /** Null when the kernel cannot read the dialect's fields. Reserves memory of the kernel. */
  static create(
    kernel: Kernel,
    { quote, escape }: Dialect,
    nullstr: readonly string[],
  ): KernelBatch | null {
    const encoder = new TextEncoder();
    const texts = nullstr.filter((text) => text !== '').map((text) => encoder.encode(text));
    const areNullsTaken =
      texts.length <= NULL_TEXTS_MAX && texts.every((text) => text.length <= NULL_TEXT_BYTES_MAX);
    const isQuoteTaken = quote.length <= 1 && quote <= '\x7f' && escape === quote;
    if (!areNullsTaken || !isQuoteTaken) return null;
    return new KernelBatch(kernel, quote, texts, nullstr.includes(''));
  }

  private constructor(
    kernel: Kernel,
    quote: string,
    nullTexts: readonly Uint8Array[],
    emptyIsNull: boolean,
  ) {
    this.kernel = kernel;
    this.selection = kernel.reserve(4 * kernel.recordsMax);
    this.#firstFields = kernel.reserve(4 * kernel.recordsMax);
    this.#nullTexts = kernel.reserve(NULL_TEXTS_MAX * NULL_TEXT_ENTRY_BYTES);
    this.#nullTextCount = nullTexts.length;
    this.#emptyIsNull = emptyIsNull;
    this.#quote = quote === '' ? NO_QUOTE : quote.charCodeAt(0);
    nullTexts.forEach((text, i) => {
      const at = this.#nullTexts + i * NULL_TEXT_ENTRY_BYTES;
      const entry = new Uint8Array(kernel.buffer, at, NULL_TEXT_ENTRY_BYTES);
      entry.set(text);
      entry[NULL_TEXT_BYTES_MAX] = text.length;
    });
  }

  /** Whether the batch's bytes and index lie in the kernel's memory. */
  holds({ bytes, index, selectedCount }: Batch): boolean {
    const { kernel } = this;
    const { arrays } = kernel;
    const names = Object.keys(arrays) as (keyof KernelArrays)[];
    return (
      kernel.holds(bytes) &&
      names.every((name) => index[name] === arrays[name]) &&
      selectedCount <= kernel.recordsMax
    );
  }

  /** Shows the batch's selected records to the operator whose frame is at `frame`. */
  enter({ selection, selectedCount }: Batch, frame: number): void {
    const { kernel } = this;
    this.selected(selectedCount).set(selection.subarray(0, selectedCount));
    kernel.exports.fillFirstFields(
      ...([kernel.pointerOf('recordFields'), this.selection, selectedCount] as const),
      this.#firstFields,
    );
    new Uint32Array(kernel.buffer, frame, FIELD_FRAME_WORDS).set([
      ...[kernel.textPointer, kernel.pointerOf('fieldStarts'), kernel.pointerOf('fieldEnds')],
      ...[this.#firstFields, this.#nullTexts, this.#nullTextCount, this.#emptyIsNull ? 1 : 0],
      this.#quote,
    ]);
  }

  /** The first `count` of the selected records, in the kernel's memory. */
  selected(count: number): Uint32Array {
    return new Uint32Array(this.kernel.buffer, this.selection, count);
  }
}
