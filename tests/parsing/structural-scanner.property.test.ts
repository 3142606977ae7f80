import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNK_LIMITS, LIMITS } from '../../pipeline/limits.ts';
import type { Dialect } from '../../pipeline/parsing/dialect.ts';
import { RecordScanner } from '../../pipeline/parsing/record-scanner.ts';
import {
  isScannable,
  StructuralScanner,
} from '../../pipeline/parsing/structural/structural-scanner.ts';
import { delimitedBytes, DIALECTS } from '../support/delimited-text.ts';
import { builtKernel } from '../support/kernel.ts';
import { runs } from '../support/runs.ts';

const kernel = builtKernel();

interface End {
  readonly end: number;
  readonly line: number;
}

/** Every end of a record, given the input in parts; unread bytes come again with the next ones. */
function endsBy(
  read: (held: Uint8Array, isFinal: boolean, give: (end: number, line: number) => void) => number,
  bytes: Uint8Array,
  splits: readonly number[],
): End[] {
  const seen: End[] = [];
  let held = new Uint8Array(0);
  let base = 0;
  [...splits, bytes.length].forEach((bound, i) => {
    held = Uint8Array.from([...held, ...bytes.subarray(base + held.length, bound)]);
    const at = read(held, i === splits.length, (end, line) => seen.push({ end: base + end, line }));
    held = held.slice(at);
    base += at;
  });
  expect(held).toHaveLength(0);
  return seen;
}

function scalarEnds(bytes: Uint8Array, dialect: Dialect): End[] {
  const scanner = new RecordScanner(dialect);
  return endsBy(
    (held, isFinal, give) => {
      let at = 0;
      do {
        at = scanner.scan(held, at, held.length, isFinal);
        for (let i = 0; i < scanner.endCount; i++) give(scanner.ends[i]!, scanner.endLines[i]!);
      } while (scanner.isFull);
      return at;
    },
    bytes,
    [],
  );
}

function structuralEnds(bytes: Uint8Array, dialect: Dialect, splits: readonly number[]): End[] {
  const scanner = new StructuralScanner(dialect, CHUNK_LIMITS, LIMITS.recordBytesMax, kernel);
  return endsBy(
    (held, isFinal, give) => {
      // What stands behind the text must not matter.
      const room = scanner.grow(held.length + 64).fill(0x22);
      room.set(held);
      let at = 0;
      do {
        at = scanner.scan(room.subarray(0, held.length), at, held.length, isFinal, null);
        expect(scanner.passedEnd).toBe(-1);
        for (let i = 0; i < scanner.endCount; i++) give(scanner.ends[i]!, scanner.endLines[i]!);
      } while (scanner.isFull);
      return at;
    },
    bytes,
    splits,
  );
}

/** Mostly regular text, whose structure falls on every place of a 64-byte block. */
const regularBytes = fc
  .array(
    fc.constantFrom(
      ...['"', ',"', '",', '""', '"\n', '"\r\n', ',', '\n', '\r\n', '\r', 'a', 'é'],
      ...['some text', '"quoted, ""text"""', '"two\r\nlines"', ',"' + 'x'.repeat(70) + '",'],
    ),
    { maxLength: 60 },
  )
  .map((texts) => new TextEncoder().encode(texts.join('')));

const scannable = Object.entries(DIALECTS).filter(([, dialect]) => isScannable(dialect));

describe.each(scannable)('the structural scanner with %s', (_, dialect) => {
  it('finds the ends that the scalar one finds, at every split of the input', () => {
    fc.assert(
      fc.property(delimitedBytes(150), (bytes) => {
        const wanted = scalarEnds(bytes, dialect);
        for (let split = 0; split <= bytes.length; split += 1 + (split >> 4)) {
          expect(structuralEnds(bytes, dialect, [split])).toEqual(wanted);
        }
        const everyByte = Array.from({ length: bytes.length }, (_, i) => i);
        expect(structuralEnds(bytes, dialect, everyByte)).toEqual(wanted);
      }),
      { numRuns: runs(150) },
    );
  });

  it('finds them in text that is mostly regular', () => {
    fc.assert(
      fc.property(regularBytes, fc.nat(2000), fc.nat(2000), (bytes, first, second) => {
        const splits = [Math.min(first, bytes.length), Math.min(first + second, bytes.length)];
        const wanted = scalarEnds(bytes, dialect);
        expect(structuralEnds(bytes, dialect, splits)).toEqual(wanted);
        expect(structuralEnds(bytes, dialect, [])).toEqual(wanted);
      }),
      { numRuns: runs(2000) },
    );
  });
});

it('goes back to the kernel behind stretches with irregular quotes', () => {
  const regular = 'a,"b ""c""\n",d\r\n'.repeat(500);
  const text = `${regular}x,y"z,"q"r\r\n${regular}"open" ,1\n${regular}`;
  const bytes = new TextEncoder().encode(text);
  const dialect = DIALECTS['RFC 4180']!;
  expect(structuralEnds(bytes, dialect, [])).toEqual(scalarEnds(bytes, dialect));
});

it('leaves dialects that blocks of bytes do not tell to the scalar one', () => {
  const names = Object.keys(DIALECTS).filter((name) => !isScannable(DIALECTS[name]!));
  expect(names).toEqual([
    'quotes that cannot be doubled',
    'comments',
    'long comments',
    'CRLF only',
    'a backslash as escape',
    'escape without quotes',
    'two bytes as delimiter',
    'a delimiter that overlaps itself',
    'quotes beyond ASCII',
    'a text as line end',
  ]);
});
