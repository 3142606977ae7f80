import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonLines } from '../../pipeline/json/json-lines.ts';
import { readNdjson } from '../../pipeline/json/ndjson-reader.ts';
import { scanValue } from '../../pipeline/json/value-scanner.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { fieldText } from '../../pipeline/parsing/field.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import { runs } from '../support/runs.ts';

const columns = ['a', 'b,"', 'ü', '__proto__'];
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string(), { maxLength: 3 }),
);
const record = fc
  .tuple(...columns.map(() => fc.option(value, { nil: undefined })))
  .map((cells) => cells.flatMap((cell, i) => (cell === undefined ? [] : [[columns[i]!, cell]])));

function lineOf(members: readonly (readonly unknown[])[]): string {
  const text = members.map(([key, cell]) => `${JSON.stringify(key)}: ${JSON.stringify(cell)}`);
  return `{${text.join(', ')}}`;
}

function fieldOf(cell: unknown): string {
  if (cell === undefined || cell === null) return '';
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}

describe('readNdjson', () => {
  it('gives back every value of every record', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
        const index = createRecordIndex(1, 1);
        const text = Buffer.from(records.map((members) => `${lineOf(members)}\n`).join(''));
        const { bytes, faults } = readNdjson(text, columns, index);
        expect(faults).toEqual([]);
        expect(index.recordCount).toBe(records.length);
        records.forEach((members, r) => {
          const cells = new Map(members.map(([key, cell]) => [key, cell]));
          columns.forEach((name, column) => {
            const field = index.recordFields[r]! + column;
            const [start, end] = [index.fieldStarts[field]!, index.fieldEnds[field]!];
            expect(fieldText(bytes, start, end, RFC_4180)).toBe(fieldOf(cells.get(name)));
          });
        });
      }),
      { numRuns: runs(300) },
    );
  });
});

describe('scanValue', () => {
  it('agrees with JSON.parse on damaged documents', () => {
    const damaged = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', '\\', ',', '}', '0', 'e', ' ', '\x01'))
      .map(([text, at, piece]) => {
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + piece + text.slice(cut + 1);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        const trimmed = text.trim();
        const bytes = Buffer.from(trimmed);
        let isJson = true;
        try {
          JSON.parse(trimmed);
        } catch {
          isJson = false;
        }
        expect(scanValue(bytes, 0, bytes.length) === bytes.length).toBe(isJson);
      }),
      { numRuns: runs(2000) },
    );
  });
});

describe('JsonLines', () => {
  it('gives the same lines for every split of the document', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 6 }),
        fc.integer({ min: 1, max: 9 }),
        (values, pieceBytes) => {
          const bytes = Buffer.from(JSON.stringify(values, null, 1));
          const lines = new JsonLines();
          for (let at = 0; at < bytes.length; at += pieceBytes) {
            lines.push(bytes.subarray(at, at + pieceBytes));
          }
          lines.finish();
          const expected = values.map((item) => `${JSON.stringify(item)}\n`).join('');
          expect(Buffer.from(lines.take()).toString()).toBe(expected);
        },
      ),
    );
  });
});
