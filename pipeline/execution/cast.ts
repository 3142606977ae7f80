import type { ColumnType } from '../protocol/job.ts';
import { parseBoolean } from '../values/boolean.ts';
import { exactOf } from '../values/exact-sum.ts';
import { parseDecimal, parseDouble, parseInteger, type DecimalParts } from '../values/number.ts';
import { parseDate, parseTimestamp } from '../values/timestamp.ts';
import { valueText } from './cell-reader.ts';
import { put, ValueFault, type Kernel, type Outcome } from './functions/kernel.ts';
import type { RecordFaults } from './record-faults.ts';
import type { TextVector, ValueVector, Vector } from './vectors.ts';

const DAY_MICROS = 86_400_000_000;
const DAY_EXACT = BigInt(DAY_MICROS);
const INT64_LIMIT = 2 ** 63;

/** The cast between two types; null where a value stands for one of the other type as it is. With
 *  `isTry` what does not cast is NULL. */
export function castKernel(from: ColumnType, to: ColumnType, isTry: boolean): Kernel | null {
  const cell = cellCast(from, to);
  if (cell === null) return null;
  return (args, records, count, out, faults) => {
    const vector = args[0]!;
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      const value = cell(vector, record);
      put(out, record, isTry && value instanceof ValueFault ? null : value, faults);
    }
  };
}

type CellCast = (vector: Vector, record: number, faults?: RecordFaults) => Outcome;

function cellCast(from: ColumnType, to: ColumnType): CellCast | null {
  if (to === 'string') return (vector, record) => valueText(vector as ValueVector, record, from);
  if (from === 'string') return (vector, record) => parsed(vector as TextVector, record, to);
  if (to === 'boolean') return (vector, record) => (vector as ValueVector).values[record] !== 0;
  if (from === 'number' && to === 'integer') {
    return (vector, record) => rounded((vector as ValueVector).values[record]!);
  }
  if (from === 'datetime' && to === 'date') {
    return (vector, record) => midnight(vector as ValueVector, record);
  }
  return null;
}

function parsed(text: TextVector, record: number, type: ColumnType): Outcome {
  const bytes = text.bytesOf(record);
  const start = text.starts[record]!;
  const end = text.ends[record]!;
  let value: number | bigint | boolean | null;
  switch (type) {
    case 'integer':
      value = parseInteger(bytes, start, end) ?? roundedText(bytes, start, end);
      break;
    case 'number': {
      const double = parseDouble(bytes, start, end);
      value = Number.isNaN(double) ? null : double;
      break;
    }
    case 'boolean':
      value = parseBoolean(bytes, start, end);
      break;
    case 'date': {
      const days = parseDate(bytes, start, end);
      value = days === null ? null : joined(days);
      break;
    }
    default:
      value = parseTimestamp(bytes, start, end);
  }
  return value ?? notA(type, JSON.stringify(text.textAt(record).slice(0, 100)));
}

/** A decimal as the whole number next to it, halves away from zero, as DuckDB casts text. */
function roundedText(bytes: Uint8Array, start: number, end: number): bigint | null {
  const parts: DecimalParts = { mantissa: 0, big: null, scale: 0 };
  if (!parseDecimal(bytes, start, end, parts)) return null;
  const { mantissa, scale } = exactOf(parts);
  const unit = 10n ** BigInt(scale);
  const half = mantissa < 0n ? -unit / 2n : unit / 2n;
  const whole = (mantissa + half) / unit;
  return BigInt.asIntN(64, whole) === whole ? whole : null;
}

/** Halves go to the even neighbour, as in DuckDB. */
function rounded(value: number): Outcome {
  const below = Math.floor(value);
  const rest = value - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  const whole = isUp ? below + 1 : below;
  if (!(whole >= -INT64_LIMIT && whole < INT64_LIMIT)) return notA('integer', String(value));
  return Number.isSafeInteger(whole) ? whole : BigInt(whole);
}

function midnight(vector: ValueVector, record: number): Outcome {
  const exact = vector.exact.get(record);
  if (exact === undefined) {
    const value = vector.values[record]!;
    return joined(Math.floor(value / DAY_MICROS));
  }
  const within = ((exact % DAY_EXACT) + DAY_EXACT) % DAY_EXACT;
  return exact - within;
}

function joined(days: number): number | bigint {
  const micros = days * DAY_MICROS;
  return Number.isSafeInteger(micros) ? micros : BigInt(days) * DAY_EXACT;
}

function notA(type: ColumnType, shown: string): ValueFault {
  return new ValueFault(
    `Value ${shown} is not ${type === 'integer' ? 'an' : 'a'} ${type}`,
    'type-error',
  );
}
