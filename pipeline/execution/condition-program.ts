import { KERNEL_TYPES } from '../aggregation/kernel-layout.ts';
import { Truth, type Condition, type Load, type ScalarLiteral } from '../plan/expression/bound.ts';
import { compareLiterals, mirrored } from './comparison.ts';

/** Kinds of instructions, as in `assembly/filter/`. */
const Kind = {
  load: 0,
  compareWholes: 1,
  compareDoubles: 2,
  compareColumns: 3,
  nullField: 4,
  compareText: 5,
  textIn: 6,
  like: 7,
  constant: 8,
  and: 9,
  or: 10,
  not: 11,
  isUnknown: 12,
  isTrue: 13,
  isFalse: 14,
} as const;
const LEFT_WHOLE = 1;
const RIGHT_WHOLE = 2;
const AS_WHOLES = 4;

/** Bound the kernel's memory: values of a load have 32 KiB, truths 1 KiB. */
const LOADS_MAX = 64;
const TRUTHS_MAX = 64;

const SLOT_BYTES = 32;
/** The kernel reads texts sixteen bytes at a time. */
const TEXT_SLACK = 16;
const WORD_BYTES = 8;

/** One step of a condition, see `Instruction` in `assembly/filter/frame.ts`. */
export interface Instruction {
  readonly kind: number;
  /** Number of the truths that it writes; the whole condition's are number 0. */
  readonly target: number;
  readonly a: number;
  readonly b: number;
  /** In the literals, when `isLiteral`. */
  readonly c: number;
  readonly d: number;
  readonly isLiteral: boolean;
  /** Truths of which those that are yes, or no, need no look. */
  readonly skip: { readonly truths: number; readonly side: 'yes' | 'no' } | null;
}

/** A set of texts in the literals: where it is itself, and where its members are. */
export interface LiteralSet {
  readonly at: number;
  readonly members: readonly { readonly at: number; readonly length: number }[];
}

/** A condition as the kernel runs it. */
export interface ConditionProgram {
  readonly instructions: readonly Instruction[];
  readonly literals: Uint8Array;
  /** Places in the literals where an offset in them stands that has to become a pointer. */
  readonly pointers: readonly number[];
  readonly sets: readonly LiteralSet[];
  readonly loadCount: number;
  readonly truthCount: number;
}

/** Where the columns are that a condition names: position of the field, or null when computed. */
export type FieldPositions = readonly (number | null)[];

/** Compiles a condition; null when there is something in it that the kernel does not do. */
export function compileCondition(
  condition: Condition,
  loads: readonly Load[],
  fields: FieldPositions,
): ConditionProgram | null {
  if (loads.length > LOADS_MAX) return null;
  const compiler = new ConditionCompiler(loads, fields);
  return compiler.compile(condition);
}

/** A program under which every record stays that has values of these types in these fields. */
export function conformProgram(
  columns: readonly { readonly position: number; readonly as: Load['as'] }[],
): ConditionProgram {
  const loads = columns.map(({ position, as }) => loadStep(position, as, 0));
  const all = step(Kind.constant, 0, { a: Truth.yes });
  return {
    ...{ instructions: [...loads, all], literals: new Uint8Array(0), pointers: [], sets: [] },
    ...{ loadCount: 1, truthCount: 1 },
  };
}

type Skip = Instruction['skip'];

class ConditionCompiler {
  private readonly loads: readonly Load[];
  private readonly fields: FieldPositions;
  private readonly instructions: Instruction[] = [];
  private readonly literals: number[] = [];
  private readonly pointers: number[] = [];
  private readonly sets: LiteralSet[] = [];
  private truthCount = 1;

  constructor(loads: readonly Load[], fields: FieldPositions) {
    this.loads = loads;
    this.fields = fields;
  }

  compile(condition: Condition): ConditionProgram | null {
    for (const [number, { column, as }] of this.loads.entries()) {
      const position = this.fields[column] ?? null;
      if (position === null) return null;
      this.instructions.push(loadStep(position, as, number));
    }
    if (!this.take(condition, 0, null) || this.truthCount > TRUTHS_MAX) return null;
    const { instructions, pointers, sets, truthCount } = this;
    const literals = Uint8Array.from(this.literals);
    return { instructions, literals, pointers, sets, loadCount: this.loads.length, truthCount };
  }

  /** Appends what evaluates the condition; false when the kernel cannot. */
  private take(condition: Condition, target: number, skip: Skip): boolean {
    this.truthCount = Math.max(this.truthCount, target + 1);
    switch (condition.kind) {
      case 'constant':
        return this.push(Kind.constant, target, { a: condition.value });
      case 'and':
      case 'or':
        return this.takeLogical(condition.kind, condition.operands, target, skip);
      case 'not':
        return this.takeUnary(Kind.not, condition.operand, target, skip);
      case 'unknown':
        return this.takeUnary(Kind.isUnknown, condition.operand, target, skip);
      case 'is-truth': {
        const kind = condition.value ? Kind.isTrue : Kind.isFalse;
        return this.takeUnary(kind, condition.operand, target, skip);
      }
      case 'null-field':
        return this.takeText(Kind.nullField, condition.column, target, { skip });
      case 'compare-text':
        return this.takeTextComparison(condition, target, skip);
      case 'text-in': {
        const { operand, values, hasNull } = condition;
        if (operand.kind !== 'field') return false;
        const rest = { b: hasNull ? 1 : 0, c: this.setOf(values), isLiteral: true, skip };
        return this.takeText(Kind.textIn, operand.column, target, rest);
      }
      case 'like': {
        const { operand, pattern } = condition;
        if (operand.kind !== 'field' || !isPlainPattern(condition)) return false;
        const rest = { c: this.patternOf(pattern), isLiteral: true, skip };
        return this.takeText(Kind.like, operand.column, target, rest);
      }
      case 'compare-scalar':
        return this.takeScalarComparison(condition, target);
      case 'null-value':
      case 'truth-value':
      case 'shared':
        return false;
    }
  }

  /** Each operand looks only at the records that those before it left open. */
  private takeLogical(
    kind: 'and' | 'or',
    operands: readonly Condition[],
    target: number,
    skip: Skip,
  ): boolean {
    return operands.every((operand, i) => {
      if (i === 0) return this.take(operand, target, skip);
      const decided = { truths: target, side: kind === 'and' ? 'no' : 'yes' } as const;
      if (!this.take(operand, target + 1, decided)) return false;
      return this.push(Kind[kind], target, { a: target, b: target + 1 });
    });
  }

  private takeUnary(kind: number, operand: Condition, target: number, skip: Skip): boolean {
    return this.take(operand, target, skip) && this.push(kind, target, { a: target });
  }

  private takeText(
    kind: number,
    column: number,
    target: number,
    rest: Partial<Instruction>,
  ): boolean {
    const position = this.fields[column] ?? null;
    return position !== null && this.push(kind, target, { ...rest, a: position });
  }

  private takeTextComparison(
    { orders, left, right }: Extract<Condition, { kind: 'compare-text' }>,
    target: number,
    skip: Skip,
  ): boolean {
    if (left.kind === 'text' && right.kind === 'field') {
      const swapped = { kind: 'compare-text', orders: mirrored(orders) } as const;
      return this.takeTextComparison({ ...swapped, left: right, right: left }, target, skip);
    }
    if (left.kind !== 'field' || right.kind !== 'text') return false;
    const { bytes } = right;
    const rest = { b: orders, c: this.textOf(bytes), d: bytes.length, isLiteral: true, skip };
    return this.takeText(Kind.compareText, left.column, target, rest);
  }

  private takeScalarComparison(
    comparison: Extract<Condition, { kind: 'compare-scalar' }>,
    target: number,
  ): boolean {
    const { orders, left, right, exact } = comparison;
    if (left.kind === 'scalar' && right.kind === 'scalar') {
      const isYes = (orders & compareLiterals(left, right)) !== 0;
      return this.push(Kind.constant, target, { a: isYes ? Truth.yes : Truth.no });
    }
    if (left.kind === 'scalar') {
      const swapped = { ...comparison, orders: mirrored(orders), left: right, right: left };
      return this.takeScalarComparison(swapped, target);
    }
    if (left.kind !== 'load' || right.kind === 'value') return false;
    const isWhole = this.isWhole(left.load);
    if (exact && !isWhole) return false;
    if (right.kind === 'load') {
      if (exact && !this.isWhole(right.load)) return false;
      const sides = (isWhole ? LEFT_WHOLE : 0) | (this.isWhole(right.load) ? RIGHT_WHOLE : 0);
      const rest = { a: left.load, b: orders, c: right.load, d: exact ? AS_WHOLES : sides };
      return this.push(Kind.compareColumns, target, rest);
    }
    if (exact) {
      if (BigInt.asIntN(64, right.whole) !== right.whole) return false;
      const rest = { a: left.load, b: orders, c: this.wholeOf(right), isLiteral: true };
      return this.push(Kind.compareWholes, target, rest);
    }
    const c = this.doubleOf(right.value);
    const rest = { a: left.load, b: orders, c, d: isWhole ? LEFT_WHOLE : 0, isLiteral: true };
    return this.push(Kind.compareDoubles, target, rest);
  }

  private isWhole(load: number): boolean {
    return this.loads[load]?.as !== 'number';
  }

  private push(kind: number, target: number, rest: Partial<Instruction>): true {
    this.instructions.push(step(kind, target, rest));
    return true;
  }

  private wholeOf({ whole, hasFraction }: ScalarLiteral): number {
    const bytes = new Uint8Array(2 * WORD_BYTES);
    new DataView(bytes.buffer).setBigInt64(0, whole, true);
    bytes[WORD_BYTES] = hasFraction ? 1 : 0;
    return this.append(bytes);
  }

  private doubleOf(value: number): number {
    return this.append(new Uint8Array(Float64Array.of(value).buffer));
  }

  private textOf(bytes: Uint8Array): number {
    const at = this.append(bytes);
    this.append(new Uint8Array(TEXT_SLACK));
    return at;
  }

  /** `TextSet`: pointer to the slots and their mask, then the slots. At most half are taken. */
  private setOf(values: readonly Uint8Array[]): number {
    const slotCount = 2 ** Math.ceil(Math.log2(2 * values.length + 2));
    const members = values.map((value) => ({ at: this.textOf(value), length: value.length }));
    const slots = this.append(new Uint8Array(slotCount * SLOT_BYTES));
    const at = this.appendWords([slots, slotCount - 1]);
    this.pointers.push(at);
    this.sets.push({ at, members });
    return at;
  }

  /** `LikePattern`: pointer to the pieces, how many they are, and their bytes. */
  private patternOf(pattern: string): number {
    const texts = pattern.split('%').map((text) => new TextEncoder().encode(text));
    const pieces = texts.map((text) => [this.textOf(text), text.length]);
    const at = this.appendWords(pieces.flat());
    pieces.forEach((_, i) => this.pointers.push(at + i * 8));
    const length = texts.reduce((sum, text) => sum + text.length, 0);
    const start = this.appendWords([at, pieces.length, length]);
    this.pointers.push(start);
    return start;
  }

  private appendWords(words: readonly number[]): number {
    return this.append(new Uint8Array(Uint32Array.from(words).buffer));
  }

  /** Appends to the literals; returns where, always at a whole word. */
  private append(bytes: Uint8Array): number {
    while (this.literals.length % WORD_BYTES !== 0) this.literals.push(0);
    const at = this.literals.length;
    for (const byte of bytes) this.literals.push(byte);
    return at;
  }
}

/** Whether `%` is all that is special in a pattern. */
function isPlainPattern({
  pattern,
  ignoreCase,
  escape,
}: Extract<Condition, { kind: 'like' }>): boolean {
  return !ignoreCase && !pattern.includes('_') && (escape === '' || !pattern.includes(escape));
}

function loadStep(position: number, as: Load['as'], number: number): Instruction {
  return step(Kind.load, 0, { a: position, b: KERNEL_TYPES[as], c: number });
}

function step(kind: number, target: number, rest: Partial<Instruction>): Instruction {
  return { kind, target, a: 0, b: 0, c: 0, d: 0, isLiteral: false, skip: null, ...rest };
}
