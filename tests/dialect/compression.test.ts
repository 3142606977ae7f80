import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { detectCompression, type Compression } from '../../pipeline/dialect/compression.ts';
import { createDecompressor } from '../../pipeline/dialect/decompressor.ts';
import type { DecompressionLimits } from '../../pipeline/dialect/decompressor.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import {
  FAR,
  RECORDS,
  REPEATED,
  WIDE_WINDOW,
  WITH_DICTIONARY,
  type ZstdSample,
} from './zstd-samples.ts';

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
  kind: Exclude<Compression, 'none'>,
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
    expect(detectCompression(RECORDS.packed)).toBe('zstd');
    expect(detectCompression(skippableFrame('x', 15))).toBe('zstd');
    expect(detectCompression(Buffer.from('PAM\n1\n'))).toBe('none');
    expect(detectCompression(text)).toBe('none');
    expect(detectCompression(text, 'none')).toBe('none');
    expect(detectCompression(zlib.brotliCompressSync(text), 'brotli')).toBe('brotli');
  });

  it.each(['gzip', 'zstd', 'zip'])('refuses %s that was stated but is not there', (stated) => {
    expect(codeOf(() => detectCompression(text, stated))).toBe('input-compression');
  });

  it.each([
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

/** Bytes that are no data (RFC 8878, 3.1.2); there are 16 kinds. */
function skippableFrame(content: string, kind: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50 + kind, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, Buffer.from(content)]);
}

describe('zstd', () => {
  const refusal = (message: RegExp): object => ({
    code: 'input-compression',
    message: expect.stringMatching(message) as string,
  });

  it.each([
    ['one block', RECORDS],
    ['several blocks', REPEATED],
    ['a window of 64 MiB', FAR],
  ])('with %s is read', async (_what, { text, packed }: ZstdSample) => {
    expect((await decompress('zstd', packed, 700)).equals(Buffer.from(text))).toBe(true);
  });

  it('is read in pieces of one byte, and cut in two at each byte', async () => {
    for (const { text, packed } of [RECORDS, REPEATED]) {
      expect(String(await decompress('zstd', packed, 1))).toBe(text);
    }
    for (let at = 1; at < REPEATED.packed.length; at++) {
      const decompressor = createDecompressor('zstd');
      decompressor.write(REPEATED.packed.subarray(0, at));
      decompressor.end(REPEATED.packed.subarray(at));
      expect(String(await buffer(decompressor))).toBe(REPEATED.text);
    }
  });

  it.each([1, 5, 1e6])(
    'may be several frames, skippable ones too (pieces of %d)',
    async (bytes) => {
      const frames = [
        ...[skippableFrame('of pzstd', 0), RECORDS.packed, skippableFrame('', 7), REPEATED.packed],
        ...[RECORDS.packed, skippableFrame('an index', 14), Buffer.alloc(100)],
      ];
      const texts = [RECORDS, REPEATED, RECORDS].map(({ text }) => text);
      expect(String(await decompress('zstd', Buffer.concat(frames), bytes))).toBe(texts.join(''));
    },
  );

  it('is refused when it is truncated anywhere', async () => {
    for (let end = 1; end < REPEATED.packed.length; end++) {
      const result = decompress('zstd', REPEATED.packed.subarray(0, end), 1e6);
      await expect(result).rejects.toMatchObject(refusal(/truncated: it ends inside a frame/));
    }
    const behind = Buffer.concat([RECORDS.packed, RECORDS.packed.subarray(0, 3)]);
    await expect(decompress('zstd', behind)).rejects.toMatchObject(refusal(/inside a frame/));
  });

  it('never gives other bytes when one of its own was changed', async () => {
    let refused = 0;
    for (let at = 0; at < RECORDS.packed.length; at += 23) {
      const packed = RECORDS.packed.with(at, RECORDS.packed[at]! ^ (1 << (at % 8)));
      const result = await decompress('zstd', packed, 1e6).then(String, (error: SluiceError) => {
        expect(error.code).toBe('input-compression');
        refused += 1;
        return RECORDS.text;
      });
      expect(result).toBe(RECORDS.text);
    }
    expect(refused).toBeGreaterThan(45);
  });

  it.each([
    ['a changed checksum', RECORDS.packed.with(-1, 0), /does not match its checksum/],
    ['a dictionary', WITH_DICTIONARY, /with a dictionary, which is not in it. Compress it without/],
    ['too large a window', WIDE_WINDOW, /a window of more than 64 MiB.*--long=26 or less/],
    [
      'text behind it',
      Buffer.concat([RECORDS.packed, Buffer.from('text')]),
      /where a frame should begin/,
    ],
    [
      'text behind the padding',
      Buffer.concat([RECORDS.packed, Buffer.from('\0\0text')]),
      /other bytes follow the end/,
    ],
  ])('is refused with %s', async (_what, packed, message) => {
    for (const pieceBytes of [1, 1e6]) {
      await expect(decompress('zstd', packed, pieceBytes)).rejects.toMatchObject(refusal(message));
    }
  });

  it('is stopped when it is a bomb, and by the absolute bound', async () => {
    const limits = {
      decompressionRatioMax: 200,
      decompressionFreeBytes: 1_000_000,
      decompressedBytesMax: 1e12,
    };
    const bomb = { code: 'limit-exceeded' };
    await expect(decompress('zstd', FAR.packed, 1e6, limits)).rejects.toMatchObject(bomb);
    const bounded = { ...limits, decompressionRatioMax: 1e6, decompressedBytesMax: 2_000_000 };
    await expect(decompress('zstd', FAR.packed, 1e6, bounded)).rejects.toMatchObject(bomb);
  });

  it('is read no further than its reader reads, and by many at once', async () => {
    const many = Array.from({ length: 30 }, () => createDecompressor('zstd'));
    for (const decompressor of many) decompressor.end(FAR.packed);
    for (const decompressor of many) await once(decompressor, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const { readableLength } of many) expect(readableLength).toBeLessThan(1_000_000);
    const [first, ...others] = many;
    for (const decompressor of others) decompressor.destroy();
    expect(await buffer(first!)).toHaveLength(FAR.text.length);
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
