import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENGINE_VERSION } from '../../pipeline/execution/context.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import {
  canonicalJson,
  chunkKey,
  contextKey,
  InputHasher,
  oversizedKey,
  taskKey,
} from '../../pipeline/keys/index.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const context: ChunkContext = {
  write: {
    ...{ format: 'csv', delim: ',', quote: '"', quoting: 'minimal', newline: '\n', nullstr: null },
    ...{ header: true, bom: false, escapeFormulas: false },
  },
  steps: [],
  engine: ENGINE_VERSION,
  input: 'chunk',
  format: 'csv',
  dialect: RFC_4180,
  columns: [],
  nullstr: [''],
  onError: 'reject',
  nullPadding: false,
  exchange: null,
};
const CANONICAL_CONTEXT =
  '{"context":{"columns":[],"dialect":{"comment":"","delimiter":",","escape":"\\"",' +
  '"header":true,"newline":"any","quote":"\\"","skip":0},' +
  `"engine":"${ENGINE_VERSION}","exchange":null,"format":"csv","input":"chunk","nullPadding":false,"nullstr":[""],` +
  '"onError":"reject","steps":[],"write":{"bom":false,"delim":",","escapeFormulas":false,' +
  '"format":"csv","header":true,"newline":"\\n","nullstr":null,"quote":"\\"","quoting":"minimal"}},' +
  '"kind":"context","recipe":1}';

describe('canonical JSON', () => {
  it('sorts members by code units, at every depth, and leaves out what is undefined', () => {
    const value = { b: [{ z: 1, y: undefined }], a: null, '\u{1f600}': 1, '\ufb33': 'é"\n', B: -0 };
    const text = '{"B":0,"a":null,"b":[{"z":1}],"\u{1f600}":1,"\ufb33":"é\\"\\n"}';
    expect(canonicalJson(value)).toBe(text);
  });

  it('keeps members named like those of Object.prototype', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":1,"constructor":2}'))).toBe(
      '{"__proto__":1,"constructor":2}',
    );
  });

  it('is one text for one value, and reads back as the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(reversed(value))).toBe(text);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.stringify(JSON.parse(text))).toHaveLength(JSON.stringify(value).length);
      }),
    );
  });

  it('refuses what is not JSON', () => {
    for (const value of [NaN, Infinity, undefined, 1n, () => 1, new Date(0), new Map()]) {
      expect(() => canonicalJson(value)).toThrow('invariant');
    }
  });
});

describe('keys', () => {
  it('chunkKey is the sha256 of the bytes', () => {
    // NIST's example vector for "abc".
    expect(chunkKey(new TextEncoder().encode('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('contextKey is the sha256 of the context as canonical JSON with the recipe', () => {
    expect(contextKey(context)).toBe(sha256(CANONICAL_CONTEXT));
    expect(contextKey(reversed(context) as ChunkContext)).toBe(contextKey(context));
    expect(contextKey({ ...context, nullstr: ['', 'NA'] })).not.toBe(contextKey(context));
  });

  it('taskKey takes chunk and context in their places', () => {
    expect(taskKey('c1', 'c2')).toBe(
      sha256('{"chunk":"c1","context":"c2","kind":"task","recipe":1}'),
    );
    expect(taskKey('c1', 'c2')).not.toBe(taskKey('c2', 'c1'));
  });

  it('an oversized record has another key than a chunk with its first bytes', () => {
    const head = Buffer.from('abc');
    const document = `{"fullBytes":9,"head":"${chunkKey(head)}","kind":"oversized","recipe":1}`;
    expect(oversizedKey(head, 9)).toBe(sha256(document));
    expect(oversizedKey(head, 9)).not.toBe(oversizedKey(head, 10));
  });

  it('the hash of an input is over header and chunk keys, in order', () => {
    const digest = (header: string[], ...keys: string[]) => {
      const hasher = new InputHasher(header);
      for (const key of keys) hasher.add(key);
      return hasher.digest();
    };
    const document = '{"header":["a","b"],"kind":"input","recipe":1}\nk1\nk2';
    expect(digest(['a', 'b'], 'k1', 'k2')).toBe(sha256(document));
    const others = [
      digest(['a', 'b'], 'k2', 'k1'),
      digest(['a,b'], 'k1', 'k2'),
      digest(['a', 'b'], 'k1', 'k2', 'k2'),
      digest(['a', 'b']),
    ];
    expect(new Set([...others, digest(['a', 'b'], 'k1', 'k2')]).size).toBe(5);
  });
});

/** The same value with every object's members in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}
