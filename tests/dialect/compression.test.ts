import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { detectCompression } from '../../pipeline/dialect/compression.ts';
import { createDecompressor } from '../../pipeline/dialect/decompressor.ts';
import type { DecompressionLimits } from '../../pipeline/dialect/decompressor.ts';
import { SluiceError } from '../../pipeline/errors.ts';

const text = Buffer.from('a,b\n1,2\n'.repeat(5000));
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SluiceError) return error.code;
    throw error;
  }
  return 'none thrown';
}

async function decompress(
  kind: 'gzip' | 'deflate' | 'brotli' | 'zip',
  packed: Uint8Array,
  pieceBytes = 1000,
  limits?: DecompressionLimits,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < packed.length; at += pieceBytes) {
    pieces.push(packed.subarray(at, at + pieceBytes));
  }
  const decompressor = createDecompressor(kind, limits);
  const source = Readable.from(pieces, { objectMode: false });
  source.pipe(decompressor);
  return buffer(decompressor);
}

describe('detectCompression', () => {
  it('goes by magic bytes', () => {
    expect(detectCompression(zlib.gzipSync(text))).toBe('gzip');
    expect(detectCompression(text)).toBe('none');
    expect(detectCompression(text, 'none')).toBe('none');
    expect(detectCompression(zlib.brotliCompressSync(text), 'brotli')).toBe('brotli');
  });

  it('refuses gzip that was stated but is not there', () => {
    expect(codeOf(() => detectCompression(text, 'gzip'))).toBe('input-compression');
  });

  it.each([
    ['zstd', '28 b5 2f fd 04 00'],
    ['bzip2', '42 5a 68 39 31 41 59 26 53 59'],
    ['xz', 'fd 37 7a 58 5a 00'],
  ])('refuses %s by name', (name, hex) => {
    expect(() => detectCompression(bytesOf(hex))).toThrow(
      expect.objectContaining({
        code: 'input-compression',
        message: expect.stringContaining(name),
      }),
    );
  });

  it.each([
    ['Excel', Buffer.from(`PK\x03\x04${'\0'.repeat(26)}[Content_Types].xml`, 'latin1')],
    ['PNG', bytesOf('89 50 4e 47 0d 0a 1a 0a')],
    ['PDF', Buffer.from('%PDF-1.7\n')],
    ['Parquet', Buffer.from('PAR1\x15\x04\x15\x10')],
    ['old Excel', bytesOf('d0 cf 11 e0 a1 b1 1a e1')],
  ])('refuses %s and says what to do', (name, head) => {
    expect(() => detectCompression(head)).toThrow(
      expect.objectContaining({ code: 'input-format', message: expect.stringContaining(name) }),
    );
  });

  it('takes text that only begins like a binary format', () => {
    expect(detectCompression(Buffer.from('ORC,troll\n1,2\n'))).toBe('none');
    expect(detectCompression(Buffer.from('BZh9,x\n1,2\n'))).toBe('none');
  });
});

describe('createDecompressor', () => {
  it.each([1, 7, 1000, 1e6])('reads gzip in pieces of %d bytes', async (pieceBytes) => {
    const packed = zlib.gzipSync(text.subarray(0, 800));
    expect(await decompress('gzip', packed, pieceBytes)).toEqual(text.subarray(0, 800));
  });

  it('reads every member of a gzip file, and zero padding behind them', async () => {
    const members = [zlib.gzipSync('one\n'), zlib.gzipSync('two\n'), Buffer.alloc(2000)];
    expect(String(await decompress('gzip', Buffer.concat(members), 5))).toBe('one\ntwo\n');
  });

  it('reads zlib, raw deflate and brotli', async () => {
    expect(await decompress('deflate', zlib.deflateSync(text))).toEqual(text);
    expect(await decompress('deflate', zlib.deflateRawSync(text))).toEqual(text);
    expect(await decompress('brotli', zlib.brotliCompressSync(text))).toEqual(text);
  });

  it('never takes a truncated file for a short one', async () => {
    const packed = zlib.gzipSync(text);
    for (const cut of [packed.length - 1, packed.length - 8, 30, 5]) {
      const result = decompress('gzip', packed.subarray(0, cut));
      await expect(result).rejects.toMatchObject({ code: 'input-compression' });
    }
  });

  it.each([3, 1e6])('refuses bytes behind the end (pieces of %d)', async (pieceBytes) => {
    const packed = Buffer.concat([zlib.gzipSync('a\n'), Buffer.from('not gzip at all')]);
    const result = decompress('gzip', packed, pieceBytes);
    await expect(result).rejects.toMatchObject({ code: 'input-compression' });
  });

  it('refuses a damaged file', async () => {
    const packed = zlib.gzipSync(text);
    packed[packed.length - 6]! ^= 1;
    await expect(decompress('gzip', packed)).rejects.toMatchObject({ code: 'input-compression' });
  });

  it('stops a bomb at the ratio, and any input at the absolute bound', async () => {
    const packed = zlib.gzipSync(Buffer.alloc(4_000_000));
    const limits = {
      decompressionRatioMax: 200,
      decompressionFreeBytes: 1_000_000,
      decompressedBytesMax: 1e12,
    };
    await expect(decompress('gzip', packed, 1e6, limits)).rejects.toMatchObject({
      code: 'limit-exceeded',
    });
    const bounded = { ...limits, decompressionRatioMax: 1e6, decompressedBytesMax: 2_000_000 };
    await expect(decompress('gzip', packed, 1e6, bounded)).rejects.toMatchObject({
      code: 'limit-exceeded',
    });
  });

  it('reads no further than its reader does', async () => {
    const decompressor = createDecompressor('gzip');
    decompressor.write(zlib.gzipSync(Buffer.alloc(20_000_000, 'ab,cd\n')));
    decompressor.end();
    await once(decompressor, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(decompressor.readableLength).toBeLessThan(1_000_000);
    expect(await buffer(decompressor)).toHaveLength(20_000_000);
  });
});

/** A ZIP archive as the format has it, with or without sizes before the data. */
function zip(
  files: readonly (readonly [string, Buffer])[],
  options: { stored?: boolean; behind?: boolean; encrypted?: boolean } = {},
): Buffer {
  const parts = files.flatMap(([name, content]) => {
    const data = options.stored === true ? content : zlib.deflateRawSync(content);
    const isBehind = options.behind === true;
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE((isBehind ? 8 : 0) | (options.encrypted === true ? 1 : 0), 6);
    header.writeUInt16LE(options.stored === true ? 0 : 8, 8);
    header.writeUInt16LE(name.length, 26);
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(zlib.crc32(content), 0);
    sizes.writeUInt32LE(data.length, 4);
    sizes.writeUInt32LE(content.length, 8);
    if (!isBehind) sizes.copy(header, 14);
    const descriptor = isBehind ? [Buffer.from('PK\x07\x08'), sizes] : [];
    return [header, Buffer.from(name), data, ...descriptor];
  });
  return Buffer.concat([...parts, Buffer.from(`PK\x01\x02${'\0'.repeat(42)}PK\x05\x06`)]);
}

describe('a ZIP archive', () => {
  it.each([1, 7, 1000, 1e6])('gives its file, in pieces of %d bytes', async (pieceBytes) => {
    const content = text.subarray(0, 2000);
    for (const options of [{}, { stored: true }, { behind: true }]) {
      const packed = zip([['table.csv', content]], options);
      expect(await decompress('zip', packed, pieceBytes)).toEqual(content);
    }
  });

  it('may have folders and what macOS adds', async () => {
    const nothing = Buffer.alloc(0);
    const packed = zip([
      ['data/', nothing],
      ['data/t.csv', text],
      ['__MACOSX/data/._t.csv', Buffer.from('x')],
    ]);
    expect(await decompress('zip', packed)).toEqual(text);
  });

  it.each([
    [
      'several files',
      zip([
        ['a.csv', text],
        ['b.csv', text],
      ]),
      /several files \(a.csv, b.csv/,
    ],
    ['an encrypted file', zip([['a.csv', text]], { encrypted: true }), /a.csv in it is encrypted/],
    ['no file', zip([]), /no file in it/],
    ['a cut end', zip([['a.csv', text]]).subarray(0, 90), /ends inside an entry/],
  ])('is refused with %s', async (_what, packed, message) => {
    await expect(decompress('zip', packed)).rejects.toMatchObject({
      code: 'input-compression',
      message: expect.stringMatching(message) as string,
    });
  });

  it('is refused when its bytes were changed, and when it is a bomb', async () => {
    const packed = zip([['a.csv', text]], { stored: true });
    packed[200]! ^= 1;
    await expect(decompress('zip', packed)).rejects.toThrow('does not match its checksum');
    const limits = {
      decompressionRatioMax: 10,
      decompressionFreeBytes: 1e5,
      decompressedBytesMax: 1e9,
    };
    const bomb = zip([['a.csv', Buffer.alloc(4_000_000)]]);
    await expect(decompress('zip', bomb, 1e6, limits)).rejects.toMatchObject({
      code: 'limit-exceeded',
    });
  });
});
