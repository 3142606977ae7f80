import { describe, expect, it } from 'vitest';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import type { Dialect } from '../../pipeline/parsing/dialect.ts';
import { fieldEquals, fieldText, recordTexts, unquoteInto } from '../../pipeline/parsing/field.ts';
import { createRecordIndex, RecordFlag } from '../../pipeline/parsing/record-index.ts';
import { readRecords } from '../../pipeline/parsing/record-reader.ts';
import { Tokenizer } from '../../pipeline/parsing/tokenizer.ts';

const { irregular, unterminated, invalidUtf8 } = RecordFlag;

function tokenize(text: string | Buffer, dialect: Dialect = RFC_4180) {
  const bytes = Buffer.from(text);
  const index = createRecordIndex(1, 1);
  const tokenizer = new Tokenizer(dialect, { skipBlankLines: 'always' });
  const consumed = tokenizer.tokenize(bytes, 0, bytes.length, true, index);
  const records = Array.from({ length: index.recordCount }, (_, i) =>
    recordTexts(bytes, index, i, dialect),
  );
  const { recordCount } = index;
  return {
    consumed,
    records,
    flags: [...index.recordFlags.subarray(0, recordCount)],
    lines: [...index.recordLines.subarray(0, recordCount)],
  };
}

describe('the tokenizer', () => {
  it('counts lines as an editor does, inside quotes too', () => {
    const { lines } = tokenize('a\r\n\r\n"b\rb\r\nb\nb",c\rd\n\ne');
    expect(lines).toEqual([0, 2, 6, 8]);
  });

  it('flags what is irregular, and reads it', () => {
    const { records, flags } = tokenize('a"b,c\n"a"b,c\n"a""b",c\n"a" ,"c"\n"",""x""\n"open\n,');
    const read = [['a"b', 'c'], ['ab', 'c'], ['a"b', 'c'], ['a ', 'c'], ['', 'x""'], ['open\n,']];
    expect(records).toEqual(read);
    expect(flags).toEqual([irregular, irregular, 0, irregular, irregular, unterminated]);
  });

  it('flags the records that are not UTF-8, and no others', () => {
    const bytes = Buffer.concat([Buffer.from('é,a\nb,'), Buffer.from([0xe9]), Buffer.from('\nc')]);
    expect(tokenize(bytes).flags).toEqual([0, invalidUtf8, 0]);
  });

  it('stops where the batch is full, and goes on with the same lines', () => {
    const bytes = Buffer.from('a\n"b\nb"\nc\nd\n');
    const index = createRecordIndex();
    const tokenizer = new Tokenizer(RFC_4180, { skipBlankLines: 'always' });
    const next = tokenizer.tokenize(bytes, 0, bytes.length, true, index, 2);
    expect([next, index.recordCount]).toEqual([8, 2]);
    expect(tokenizer.tokenize(bytes, next, bytes.length, true, index)).toBe(bytes.length);
    expect([...index.recordLines.subarray(0, index.recordCount)]).toEqual([3, 4]);
    tokenizer.reset();
    tokenizer.tokenize(bytes, 0, bytes.length, true, index);
    expect(index.recordLines[0]).toBe(0);
  });

  it.each([
    ['a\n"b', 2],
    ['a\nb\r', 2],
    ['a\n"b"', 2],
    ['a\nb\n', 4],
  ])('leaves the record that may go on behind the buffer: %j', (text, consumed) => {
    const bytes = Buffer.from(text);
    const index = createRecordIndex();
    const tokenizer = new Tokenizer(RFC_4180, { skipBlankLines: 'always' });
    expect(tokenizer.tokenize(bytes, 0, bytes.length, false, index)).toBe(consumed);
  });

  it('reads as many fields as there are', () => {
    const fields = Array.from({ length: 20_000 }, (_, i) => String(i));
    expect(tokenize(fields.join(',')).records).toEqual([fields]);
  });

  it('takes an escape for any character, a line end included', () => {
    const dialect = { ...RFC_4180, escape: '\\' };
    const { records, flags } = tokenize('a\\,b\\\r\nc,"d\\"e""f"\n\\"g,h\\', dialect);
    expect(records).toEqual([
      ['a,b\r\nc', 'd"e"f'],
      ['"g', 'h\\'],
    ]);
    expect(flags).toEqual([0, 0]);
  });
});

describe('a field', () => {
  const bytes = Buffer.from('"é ""x"" é",plain,""');

  it('is unquoted as text, as bytes and in comparison', () => {
    const target = new Uint8Array(30);
    const end = unquoteInto(target, 3, bytes, 0, 13, RFC_4180);
    expect(Buffer.from(target.subarray(3, end)).toString()).toBe('é "x" é');
    expect(fieldText(bytes, 0, 13, RFC_4180)).toBe('é "x" é');
    expect(fieldEquals(bytes, 0, 13, RFC_4180, Buffer.from('é "x" é'))).toBe(true);
    expect(fieldEquals(bytes, 0, 13, RFC_4180, Buffer.from('é "x" e'))).toBe(false);
    expect(fieldEquals(bytes, 14, 19, RFC_4180, Buffer.from('plain'))).toBe(true);
    expect(fieldEquals(bytes, 14, 19, RFC_4180, Buffer.from('plai'))).toBe(false);
    expect(fieldEquals(bytes, 20, 22, RFC_4180, Buffer.from(''))).toBe(true);
  });
});

it('reads whole inputs without byte order mark and skipped lines', () => {
  const dialect = { ...RFC_4180, skip: 2 };
  expect(readRecords(Buffer.from('\ufeffnote "\r\n\n"a",b\n'), dialect)).toEqual([['a', 'b']]);
  expect(readRecords(Buffer.from('one'), dialect)).toEqual([]);
});
