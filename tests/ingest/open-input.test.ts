import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openInput, type OpenedInput } from '../../master/ingest/open-input.ts';
import { DEFAULT_READ_OPTIONS, type ReadOptions } from '../../pipeline/dialect/read-options.ts';

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

function open(
  input: string | Uint8Array,
  options: Partial<ReadOptions> = {},
): Promise<OpenedInput> {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  return openInput(inPieces(bytes), { ...DEFAULT_READ_OPTIONS, ...options }, null);
}

describe('an input is refused in words', () => {
  it('when it is compressed twice', async () => {
    const packed = gzipSync(gzipSync('a,b\n1,2\n'));
    await expect(open(packed)).rejects.toThrow('Inside the gzip data is gzip data');
  });

  it('when it is a page or a document in place of a table', async () => {
    const page = '\n<!DOCTYPE html>\n<html><body>Sign in, please</body></html>\n';
    await expect(open(page)).rejects.toThrow('This is an HTML page, not a table');
    await expect(open('<?xml version="1.0"?>\n<a/>\n')).rejects.toThrow('an XML document');
    expect((await open(page, { format: 'csv' })).sniffed.records).not.toHaveLength(0);
    expect((await open('<b>,n\n<i>,2\n')).sniffed.input.columns).toHaveLength(2);
  });
});

describe('JSON', () => {
  it('may hold no record at all', async () => {
    const { sniffed } = await open('[]');
    expect(sniffed.input.columns).toEqual([]);
    expect(sniffed.warnings).toEqual(['The document holds no records.']);
  });

  it('of an array a line is no delimited text', async () => {
    const { sniffed } = await open('["id","name"]\n[1,"Ana"]\n');
    expect(sniffed.input.format).toBe('ndjson');
    expect(sniffed.warnings[0]).toContain('each record has to be one');
  });
});
