import { describe, expect, it } from 'vitest';
import { readNdjson, type NdjsonBatch } from '../../pipeline/json/ndjson-reader.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex, type RecordIndex } from '../../pipeline/parsing/record-index.ts';
import { recordTexts } from '../../pipeline/parsing/field.ts';

interface Read {
  readonly batch: NdjsonBatch;
  readonly index: RecordIndex;
  /** The raw fields of each record, quotes included. */
  readonly raw: string[][];
  readonly texts: string[][];
}

function read(text: string | Uint8Array, columns: readonly string[]): Read {
  const index = createRecordIndex(1, 1);
  const batch = readNdjson(Buffer.from(text), columns, index);
  const bytes = Buffer.from(batch.bytes);
  const records = Array.from({ length: index.recordCount }, (_, record) => record);
  const raw = records.map((record) =>
    Array.from(
      index.fieldStarts.subarray(index.recordFields[record], index.recordFields[record + 1]),
      (start, field) => {
        return bytes.toString('utf8', start, index.fieldEnds[index.recordFields[record]! + field]);
      },
    ),
  );
  return { batch, index, raw, texts: records.map((r) => recordTexts(bytes, index, r, RFC_4180)) };
}

describe('readNdjson', () => {
  it('writes values as fields that read back as their text', () => {
    const line = '{"s":"x","n":1.50e3,"b":true,"z":null,"e":"","c":"a,b","o":{"k":[1,"y"]}}\n';
    const { raw, texts } = read(line, ['s', 'n', 'b', 'z', 'e', 'c', 'o', 'missing']);
    expect(raw[0]).toEqual([
      ...['x', '1.50e3', 'true', '', '""', '"a,b"', '"{""k"":[1,""y""]}"', ''],
    ]);
    expect(texts[0]?.[6]).toBe('{"k":[1,"y"]}');
  });

  it('keeps the digits of numbers', () => {
    const { raw } = read('{"a":9007199254740993,"b":1e400,"c":-0,"d":1.10}', ['a', 'b', 'c', 'd']);
    expect(raw[0]).toEqual(['9007199254740993', '1e400', '-0', '1.10']);
  });

  it('resolves escapes', () => {
    const escaped = String.raw`{"a":"q\"q","b":"l\nl","c":"\u00e9\ud83d\ude00\u0041","d":"\/\\\t"}`;
    const { texts } = read(escaped, ['a', 'b', 'c', 'd']);
    expect(texts[0]).toEqual(['q"q', 'l\nl', 'é😀A', '/\\\t']);
  });

  it('finds keys in any order, escaped or named like members of objects', () => {
    const lines = '{"b":1,"a":2}\n{"\\u0061":3,"__proto__":4}\n';
    expect(read(lines, ['a', 'b', '__proto__']).raw).toEqual([
      ['2', '1', ''],
      ['3', '', '4'],
    ]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('takes a column name with quotes and backslashes by its text, not by its JSON', () => {
    expect(read(String.raw`{"a\"b":1,"c\\d":2}`, ['a"b', 'c\\d']).raw).toEqual([['1', '2']]);
  });

  it('skips blank lines, takes CRLF, and needs no last line end', () => {
    const { raw, index, batch } = read('\r\n{"a":1}\r\n  \n\n{"a":2}\r\n{"a":3}', ['a']);
    expect(raw).toEqual([['1'], ['2'], ['3']]);
    expect([...index.recordLines.subarray(0, 3)]).toEqual([1, 4, 5]);
    expect([...batch.rawStarts]).toEqual([2, 15, 24]);
    expect([...batch.rawEnds]).toEqual([9, 22, 31]);
  });

  it('loses nothing silently: every other line is a fault with its place and reason', () => {
    const good = '{"a":1}';
    const bad: [string, string][] = [
      ['{"a":1,"new":2}', 'extra-cell'],
      ['{"a":1,"a":2}', 'source-error'],
      ['[1]', 'type-error'],
      ['5', 'type-error'],
      ['{"a":1', 'source-error'],
      ['{"a":01}', 'source-error'],
      ['{"a":1}}', 'source-error'],
      ['{"a":1} x', 'source-error'],
      ['{"a":"\\ud800"}', 'encoding-error'],
      ['{} {}', 'source-error'],
    ];
    for (const [line, code] of bad) {
      const { batch, raw } = read(`${good}\n${line}\n${good}\n`, ['a']);
      expect(raw).toEqual([['1'], ['1']]);
      expect([...batch.recordNumbers]).toEqual([0, 2]);
      expect(batch.lineCount).toBe(3);
      const place = { record: 1, line: 1, rawStart: 8, rawEnd: 8 + line.length };
      expect(batch.faults).toEqual([{ ...place, code, message: expect.any(String) as string }]);
    }
  });

  it('rejects only the line that is not UTF-8', () => {
    const bytes = Buffer.from('{"a":"x"}\n{"a":"\xff"}\n{"a":"y"}\n', 'latin1');
    const { batch, raw } = read(bytes, ['a']);
    expect(raw).toEqual([['x'], ['y']]);
    expect(batch.faults.map(({ code, line }) => [code, line])).toEqual([['encoding-error', 1]]);
  });
});
