import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../pipeline/parsing/dialect.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { recordTexts } from '../../pipeline/parsing/field.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import type { RecordIndex } from '../../pipeline/parsing/record-index.ts';
import { RecordMachine, UnitKind } from '../../pipeline/parsing/record-machine.ts';
import { RecordReader, readRecords } from '../../pipeline/parsing/record-reader.ts';
import { syntaxOf } from '../../pipeline/parsing/syntax.ts';
import { Tokenizer } from '../../pipeline/parsing/tokenizer.ts';
import { delimitedBytes, DIALECTS } from '../support/delimited-text.ts';
import { runs } from '../support/runs.ts';

function indexOf(bytes: Uint8Array, dialect: Dialect): RecordIndex {
  const index = createRecordIndex(1, 1);
  new Tokenizer(dialect, { skipBlankLines: 'never' }).tokenize(bytes, 0, bytes.length, true, index);
  return index;
}

function described(index: RecordIndex) {
  return Array.from({ length: index.recordCount }, (_, i) => ({
    range: [index.recordStarts[i], index.recordEnds[i]],
    line: index.recordLines[i],
    flags: index.recordFlags[i],
    starts: [...index.fieldStarts.subarray(index.recordFields[i], index.recordFields[i + 1])],
    ends: [...index.fieldEnds.subarray(index.recordFields[i], index.recordFields[i + 1])],
  }));
}

/** The same from the general machine, byte by byte. */
function machined(bytes: Uint8Array, dialect: Dialect) {
  const machine = new RecordMachine(syntaxOf(dialect));
  const units: unknown[] = [];
  for (let at = 0; at < bytes.length;) {
    const index = createRecordIndex();
    const line = machine.lines;
    const next = machine.read(bytes, at, bytes.length, true, index);
    if (machine.unitKind !== UnitKind.comment) {
      units.push({
        range: [at, machine.unitEnd],
        line,
        flags: machine.unitFlags,
        starts: [...index.fieldStarts.subarray(0, index.fieldCount)],
        ends: [...index.fieldEnds.subarray(0, index.fieldCount)],
      });
    }
    at = next;
  }
  return units;
}

describe.each(Object.entries(DIALECTS))('the tokenizer with %s', (_, dialect) => {
  it('finds what the general machine finds', () => {
    fc.assert(
      fc.property(delimitedBytes(), (bytes) => {
        expect(described(indexOf(bytes, dialect))).toEqual(machined(bytes, dialect));
      }),
      { numRuns: runs(2000) },
    );
  });

  it('gives the same records at every split of the input', () => {
    fc.assert(
      fc.property(delimitedBytes(), (bytes) => {
        const whole = readRecords(bytes, dialect);
        for (let split = 0; split <= bytes.length; split++) {
          const reader = new RecordReader(dialect);
          const first = reader.push(bytes.subarray(0, split));
          const second = reader.push(bytes.subarray(split));
          expect([...first, ...second, ...reader.finish()]).toEqual(whole);
        }
      }),
      { numRuns: runs(300) },
    );
  });
});

describe('the tokenizer and csv-parse', () => {
  const strict = {
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: false,
  };

  // csv-parse refuses exactly what the tokenizer flags: a quote inside an unquoted field, text
  // behind a closing quote, and a quote that is not closed.
  it('agree on what is regular, and on the records of what is', () => {
    fc.assert(
      fc.property(delimitedBytes(60), (bytes) => {
        const index = indexOf(bytes, RFC_4180);
        const flagged = index.recordFlags.subarray(0, index.recordCount).some((flags) => flags > 0);
        let expected: string[][] | null;
        try {
          expected = parse(Buffer.from(bytes), strict);
        } catch {
          expected = null;
        }
        expect(flagged).toBe(expected === null);
        if (expected === null) return;
        const got = Array.from({ length: index.recordCount }, (_, i) =>
          recordTexts(bytes, index, i, RFC_4180),
        );
        expect(got).toEqual(expected);
      }),
      { numRuns: runs(5000) },
    );
  });
});
