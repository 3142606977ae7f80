import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  decodeSection,
  encodeResult,
  readResultHead,
  resultBytes,
  RESULT_HEAD_BYTES,
  sectionOf,
} from '../../pipeline/result/result-format.ts';
import { decodePartial, encodePartial, PartialMerger } from '../../pipeline/result/partial.ts';
import { decodeRejects, encodeRejects } from '../../pipeline/result/relative-reject.ts';

const text = (value: string) => new TextEncoder().encode(value);
const corrupt = expect.objectContaining({ code: 'blob-corrupt' });
const statistics = {
  ...{ recordsIn: 3, recordsOut: 2, rejected: 1, filtered: 0, deduplicated: 0, aggregated: 0 },
  ...{ lines: 3, bytesIn: 30, outputRecords: 2, outputBytes: 8 },
};
const output = [text('a,b\n'), text('c,d\n')];
const rejects = encodeRejects([
  {
    ...{ record: 1, line: 1, byteOffset: 4, column: null, columnName: null, step: null },
    ...{ code: 'missing-cell', message: 'one field', raw: 'x', rawEncoding: 'utf-8' },
  },
]);
const content = { statistics, output, rejects, partial: text('partial'), exchange: text('index') };

describe('a result object', () => {
  test('gives back every section, and serves output by file range from its head alone', () => {
    const parts = encodeResult(content);
    expect(parts[1]).toBe(output[0]);
    const result = Buffer.concat(parts);
    const head = readResultHead(result.subarray(0, RESULT_HEAD_BYTES));
    expect(head.statistics).toEqual(statistics);
    expect(resultBytes(head)).toBe(result.length);
    const { start, end } = head.sections.output;
    expect(result.subarray(start, end).toString()).toBe('a,b\nc,d\n');
    expect(Buffer.from(sectionOf(head, 'partial', result)).toString()).toBe('partial');
    expect(Buffer.from(sectionOf(head, 'exchange', result)).toString()).toBe('index');
    expect(decodeRejects(sectionOf(head, 'rejects', result))).toMatchObject([{ byteOffset: 4 }]);
  });

  test('is the same bytes for the same content, however the output is cut', () => {
    const whole = Buffer.concat(encodeResult(content));
    const swapped = Object.fromEntries(Object.entries(statistics).reverse()) as typeof statistics;
    const again = encodeResult({ ...content, statistics: swapped, output: [text('a,b\nc,d\n')] });
    expect(Buffer.concat(again)).toEqual(whole);
  });

  test("of a whole chunk is the same with the chunk's hash known", () => {
    const bytes = text('a,b\nc,d\n');
    const hashed = { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
    const whole = { ...content, output: [bytes] };
    expect(Buffer.concat(encodeResult(whole, hashed))).toEqual(Buffer.concat(encodeResult(whole)));
    // Other outputs are hashed: the wrong hash would show.
    const wrong = { bytes, sha256: '00' };
    for (const output of [[text('a,b\nc,d\n')], [bytes.subarray(0, 4), bytes.subarray(4)]]) {
      const parts = encodeResult({ ...content, output }, wrong);
      const head = readResultHead(Buffer.concat(parts));
      expect(head.sections.output.sha256).toBe(hashed.sha256);
    }
  });

  test('with any byte changed, or cut short, is corrupt', () => {
    const whole = Buffer.concat(encodeResult(content));
    const sections = ['output', 'rejects', 'partial', 'exchange'] as const;
    const readAll = (bytes: Uint8Array) => {
      const head = readResultHead(bytes);
      for (const name of sections) sectionOf(head, name, bytes);
    };
    expect(() => readAll(whole)).not.toThrow();
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1;
      expect(() => readAll(changed)).toThrow(corrupt);
    }
    for (const length of [0, 7, RESULT_HEAD_BYTES - 1, RESULT_HEAD_BYTES, whole.length - 1]) {
      expect(() => readAll(whole.subarray(0, length))).toThrow(corrupt);
    }
    const head = readResultHead(whole);
    expect(() => decodeSection(head, 'output', text('a,b\nc,d'))).toThrow(corrupt);
  });
});

describe('a partial', () => {
  test('is empty when there is nothing to merge', () => {
    expect(encodePartial({})).toEqual(new Uint8Array(0));
    expect(decodePartial(new Uint8Array(0))).toEqual({ profile: null, aggregate: null });
    const merger = new PartialMerger();
    merger.add(new Uint8Array(0));
    expect([merger.profile(), merger.aggregateChunk(), merger.profiledRecords]).toEqual([
      null,
      null,
      0,
    ]);
  });

  test('that is cut short or of another version is corrupt', () => {
    const bytes = encodePartial({ profile: text('p'), aggregate: text('a') });
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodePartial(bytes.subarray(0, length))).toThrow(corrupt);
    }
    expect(() => decodePartial(Uint8Array.of(9, 0, 0))).toThrow(corrupt);
    expect(() => decodePartial(Buffer.concat([bytes, text('x')]))).toThrow(corrupt);
  });
});
