import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanValue, skipBlanks } from '../../pipeline/json/value-scanner.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { describeWith } from '../support/needs.ts';

/** Whether the bytes are one JSON value and nothing else. */
function accepts(bytes: Uint8Array): boolean {
  if (!isUtf8(bytes)) return false;
  const end = scanValue(bytes, skipBlanks(bytes, 0, bytes.length), bytes.length);
  return end >= 0 && skipBlanks(bytes, end, bytes.length) === bytes.length;
}

describe('scanValue', () => {
  it('bounds nesting', () => {
    const nested = (depth: number): Buffer => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
    expect(accepts(nested(256))).toBe(true);
    expect(accepts(nested(257))).toBe(false);
    expect(accepts(nested(1_000_000))).toBe(false);
  });

  it('says where a value cannot go on, and where it is cut', () => {
    const text = Buffer.from('{"a": [1, x]}');
    expect(scanValue(text, 0, text.length)).toBe(-1 - 10);
    expect(scanValue(text, 0, 6)).toBe(-1 - 6);
  });
});

describeWith(corpusNeed, 'JSONTestSuite', () => {
  const folder = path.join(corpusFolder, 'json', 'JSONTestSuite');
  const files = corpusNeed.met ? readdirSync(folder) : [];
  const judged = files.filter((file) => file.startsWith('y_') || file.startsWith('n_'));

  it('is all there', () => {
    expect(judged.length).toBeGreaterThan(150);
  });

  it.each(judged)('%s', (file) => {
    expect(accepts(readFileSync(path.join(folder, file)))).toBe(file.startsWith('y_'));
  });
});
