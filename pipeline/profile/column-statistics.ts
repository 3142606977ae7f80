import type { ColumnProfile, ColumnType } from '../protocol/job.ts';
import type { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';
import { ExactSums, exactMean, exactText } from '../values/exact-sum.ts';
import { formatDate, formatTimestamp } from '../values/format.ts';
import { VALUE_KIND_COUNT, ValueKind } from '../values/value-kind.ts';
import { NumberBounds, TEXT_BOUND_BYTES, TextBounds, TimeBounds } from './bounds.ts';
import { ColumnDetail } from './column-detail.ts';
import { HyperLogLog } from './hyper-log-log.ts';

const KIND_NAMES: readonly ColumnType[] = [
  'integer',
  'number',
  'boolean',
  'date',
  'datetime',
  'string',
];
const DAY_MICROS = 86_400_000_000n;

/** All that a profile knows of one column. Merging is associative and commutative. */
export class ColumnStatistics {
  /** Cells by `ValueKind`, but those that are NULL. */
  readonly kindCounts = new Float64Array(VALUE_KIND_COUNT);
  nullCount = 0;
  /** Slot 0: the exact sum of the numbers. */
  readonly sums = new ExactSums();
  readonly numbers = new NumberBounds();
  readonly times = new TimeBounds();
  readonly texts = new TextBounds();
  /** Characters (code points) of the cells with a value that is not empty. */
  lengthMin = Infinity;
  lengthMax = 0;
  readonly sketch: HyperLogLog;
  /** Of a detailed profile, else null. */
  detail: ColumnDetail | null;
  private readonly columnCount: number;

  constructor(columnCount: number, isDetailed = false) {
    this.columnCount = columnCount;
    this.sums.reserve(1);
    this.sketch = new HyperLogLog(precisionFor(columnCount));
    this.detail = isDetailed ? new ColumnDetail(columnCount) : null;
  }

  write(writer: ByteWriter): void {
    for (const count of this.kindCounts) writer.count(count);
    writer.count(this.nullCount);
    const sum = this.sums.total(0);
    writer.count(sum.scale);
    writer.scalar(sum.mantissa);
    this.numbers.write(writer);
    this.times.write(writer);
    this.texts.write(writer);
    writer.count(this.lengthMin === Infinity ? 0 : this.lengthMin);
    writer.count(this.lengthMax);
    this.sketch.write(writer);
    writer.byte(this.detail === null ? 0 : 1);
    this.detail?.write(writer);
  }

  merge(reader: ByteReader): void {
    for (let kind = 0; kind < VALUE_KIND_COUNT; kind++) this.kindCounts[kind]! += reader.count();
    this.nullCount += reader.count();
    const scale = reader.count();
    this.sums.addExact(0, BigInt(reader.scalar()), scale);
    this.numbers.merge(reader);
    this.times.merge(reader);
    this.texts.merge(reader);
    const lengthMin = reader.count();
    const lengthMax = reader.count();
    if (lengthMax > 0) this.lengthMin = Math.min(this.lengthMin, lengthMin);
    this.lengthMax = Math.max(this.lengthMax, lengthMax);
    this.sketch.merge(reader);
    if (reader.byte() === 0) return;
    this.detail ??= new ColumnDetail(this.columnCount);
    this.detail.merge(reader);
  }

  toProfile(name: string): ColumnProfile {
    const counts = this.kindCounts;
    const empty = counts[ValueKind.empty]!;
    const filled = counts.reduce((sum, kindCount) => sum + kindCount, 0) - empty;
    const numberCount = counts[ValueKind.integer]! + counts[ValueKind.number]!;
    const type = inferredType(counts, filled);
    return {
      name,
      count: filled + empty + this.nullCount,
      nulls: this.nullCount,
      empty,
      inferredType: type,
      typeShares: typeShares(counts, filled),
      min: this.#boundText(type, 'min'),
      max: this.#boundText(type, 'max'),
      mean: numberCount === 0 ? null : exactMean(this.sums.total(0), numberCount),
      lengthMin: filled === 0 ? 0 : this.lengthMin,
      lengthMax: this.lengthMax,
      distinctEstimate: Math.min(filled, Math.round(this.sketch.estimate())),
      ...(this.detail === null
        ? {}
        : { detail: this.detail.toProfile(numberCount, this.sums.total(0)) }),
    };
  }

  #boundText(type: ColumnType, end: 'min' | 'max'): string | null {
    const number = this.numbers[end];
    const time = this.times[end];
    const text = this.texts[end];
    if ((type === 'integer' || type === 'number') && number !== null) return exactText(number);
    if (type === 'datetime' && time !== null) return formatTimestamp(time);
    if (type === 'date' && time !== null) return formatDate(Number(BigInt(time) / DAY_MICROS));
    return text === null ? null : textOf(text);
  }
}

/** Sketch precision by the number of columns: 16 KiB a column, or 1 KiB (standard error 3.25 %)
 *  where columns are so many that it would exceed 16 MiB. */
function precisionFor(columnCount: number): number {
  return columnCount <= 1024 ? 14 : 10;
}

/** The narrowest type that every filled cell fits; text when there is none. */
function inferredType(counts: Float64Array, filled: number): ColumnType {
  if (filled === 0) return 'string';
  const integers = counts[ValueKind.integer]!;
  const dates = counts[ValueKind.date]!;
  if (integers === filled) return 'integer';
  if (integers + counts[ValueKind.number]! === filled) return 'number';
  if (counts[ValueKind.boolean] === filled) return 'boolean';
  if (dates === filled) return 'date';
  return dates + counts[ValueKind.datetime]! === filled ? 'datetime' : 'string';
}

/** Types that every cell of a narrower type fits too. */
const WIDER: Readonly<Partial<Record<ColumnType, ColumnType>>> = {
  integer: 'number',
  date: 'datetime',
};

/** Share of the filled cells that fit each type; types that none fits are left out. */
function typeShares(counts: Float64Array, filled: number): Record<string, number> {
  const fitting: Partial<Record<ColumnType, number>> = {};
  KIND_NAMES.forEach((name, i) => {
    const kindCount = counts[i + 1]!;
    if (kindCount === 0) return;
    const wider = WIDER[name];
    fitting[name] = (fitting[name] ?? 0) + kindCount;
    if (wider !== undefined) fitting[wider] = (fitting[wider] ?? 0) + kindCount;
  });
  if (filled > 0) fitting.string = filled;
  return Object.fromEntries(Object.entries(fitting).map(([name, cells]) => [name, cells / filled]));
}

/** The text, without the half of a character that a cut may leave at its end. */
function textOf(text: Uint8Array): string {
  const decoded = new TextDecoder().decode(text);
  return text.length < TEXT_BOUND_BYTES ? decoded : decoded.replace(/\ufffd+$/, '');
}
