import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import { UnitKind } from '../../pipeline/parsing/record-machine.ts';
import { RecordScanner } from '../../pipeline/parsing/record-scanner.ts';
import { Tokenizer } from '../../pipeline/parsing/tokenizer.ts';
import { delimitedBytes, DIALECTS } from '../support/delimited-text.ts';
import { runs } from '../support/runs.ts';

interface Place {
  readonly start: number;
  readonly line: number;
}

/** Where the tokenizer, given the whole input, starts records. */
function tokenized(bytes: Uint8Array, dialect: Dialect): Place[] {
  const index = createRecordIndex();
  const tokenizer = new Tokenizer(dialect, { skipBlankLines: 'never' });
  expect(tokenizer.tokenize(bytes, 0, bytes.length, true, index)).toBe(bytes.length);
  return Array.from({ length: index.recordCount }, (_, i) => ({
    start: index.recordStarts[i]!,
    line: index.recordLines[i]!,
  }));
}

/** Where the scanner starts them, given the input in two buffers or byte by byte. */
function scanned(bytes: Uint8Array, dialect: Dialect, splits: readonly number[]): Place[] {
  const scanner = new RecordScanner(dialect);
  const places: Place[] = [];
  let next: Place = { start: 0, line: 0 };
  let held = new Uint8Array(0);
  let base = 0;
  const bounds = [...splits, bytes.length];
  bounds.forEach((bound, i) => {
    const isFinal = i === bounds.length - 1;
    held = Uint8Array.from([...held, ...bytes.subarray(base + held.length, bound)]);
    let at = 0;
    do {
      at = scanner.scan(held, at, held.length, isFinal);
      for (let end = 0; end < scanner.endCount; end++) {
        if (scanner.endKinds[end] !== UnitKind.comment) places.push(next);
        next = { start: base + scanner.ends[end]!, line: scanner.endLines[end]! };
      }
    } while (scanner.isFull);
    held = held.slice(at);
    base += at;
  });
  expect(held.length).toBe(0);
  return places;
}

describe.each(Object.entries(DIALECTS))('the scanner with %s', (_, dialect) => {
  it('starts records where the tokenizer does, at every split of the input', () => {
    fc.assert(
      fc.property(delimitedBytes(), (bytes) => {
        const wanted = tokenized(bytes, dialect);
        for (let split = 0; split <= bytes.length; split++) {
          expect(scanned(bytes, dialect, [split])).toEqual(wanted);
        }
        const everyByte = Array.from({ length: bytes.length }, (_, i) => i);
        expect(scanned(bytes, dialect, everyByte)).toEqual(wanted);
      }),
      { numRuns: runs(300) },
    );
  });
});

it('goes on behind a full list of ends', () => {
  const bytes = new TextEncoder().encode('a\n"b\n"\n'.repeat(10_000));
  const dialect = DIALECTS['RFC 4180']!;
  const wanted = tokenized(bytes, dialect);
  expect(wanted).toHaveLength(20_000);
  expect(scanned(bytes, dialect, [])).toEqual(wanted);
});
