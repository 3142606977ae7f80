import { describe, expect, it } from 'vitest';
import { detectEncoding, encodingOf } from '../../pipeline/dialect/encoding.ts';
import { Transcoder } from '../../pipeline/dialect/transcoder.ts';

function transcode(encoding: string, bytes: Uint8Array, pieceBytes: number): string {
  const transcoder = new Transcoder(encoding);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    pieces.push(transcoder.push(bytes.subarray(at, at + pieceBytes)));
  }
  return Buffer.concat([...pieces, transcoder.finish()]).toString('utf8');
}

function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

describe('detectEncoding', () => {
  it('obeys a byte-order mark before anything stated, and says so', () => {
    const sample = Buffer.from('\uFEFFa,b\n');
    expect(detectEncoding(sample, true)).toEqual({ encoding: 'utf-8', warnings: [] });
    const wide = detectEncoding(Buffer.from('\uFEFFa,b', 'utf16le'), true, 'utf-8');
    expect(wide.encoding).toBe('utf-16le');
    expect(wide.warnings).toHaveLength(1);
    expect(detectEncoding(utf16be('\uFEFFa'), true).encoding).toBe('utf-16be');
  });

  it('knows UTF-16 without a mark by its NULs', () => {
    expect(detectEncoding(Buffer.from('id,name\n1,é\n', 'utf16le'), true).encoding).toBe(
      'utf-16le',
    );
    expect(detectEncoding(utf16be('id,name\n1,é\n'), true).encoding).toBe('utf-16be');
    expect(detectEncoding(Buffer.from('a,b\n\0,x\0y\n'), true).encoding).toBe('utf-8');
  });

  it('forgives a character that the end of a sample cuts, but not of a whole input', () => {
    const sample = Buffer.from('a,日本語');
    for (const cut of [1, 2]) {
      const short = sample.subarray(0, sample.length - cut);
      expect(detectEncoding(short, false).encoding).toBe('utf-8');
      expect(detectEncoding(short, true).encoding).toBe('windows-1252');
    }
  });

  it('falls back to windows-1252 with a warning', () => {
    const found = detectEncoding(Buffer.from('caf\xe9,1\n', 'latin1'), true);
    expect(found.encoding).toBe('windows-1252');
    expect(found.warnings[0]).toContain('windows-1252');
  });

  it.each([
    [
      'gb18030',
      '1,安娜,上海',
      'b1e0bac52cd0d5c3fb2cb3c7cad00a312cb0b2c4c82cc9cfbaa30a322cb1abb2aa2cb1b1bea90a332ccfa3b5c22cb9e3d6dd0a',
    ],
    [
      'shift_jis',
      '1,さくら,東京',
      '94d48d862c96bc914f2c93738e730a312c82b382ad82e72c938c8b9e0a322c837b83752c91e58de30a332c8341839383692c8b9e93730a',
    ],
    [
      'euc-jp',
      '1,さくら,東京',
      'c8d6b9e62cccbec1b02cc5d4bbd40a312ca4b5a4afa4e92cc5ecb5fe0a322ca5dca5d62cc2e7bae50a332ca5a2a5f3a5ca2cb5fec5d40a',
    ],
    [
      'euc-kr',
      '1,안나,서울',
      'b9f8c8a32cc0ccb8a72cb5b5bdc30a312cbec8b3aa2cbcadbfef0a322cbab8baea2cbacebbea0a332cbdc3b5e52cb4ebb1b80a',
    ],
    [
      'big5',
      '1,安娜,臺北',
      'bd73b8b92ca96da6572cabb0a5ab0a312ca677ae522cbb4fa55f0a322cc06aab6b2cb0aab6af0a332ca7c6bc772cbb4fa4a40a',
    ],
  ])('knows %s by its pairs of bytes, and says so', (encoding, line, hex) => {
    const bytes = Buffer.from(hex, 'hex');
    for (const cut of [0, 2]) {
      const found = detectEncoding(bytes.subarray(0, bytes.length - cut), cut === 0);
      expect(found.encoding).toBe(encoding);
      expect(found.warnings[0]).toContain(encoding);
    }
    expect(transcode(encoding, bytes, 5)).toContain(line);
  });

  it.each([
    [
      'windows-1251',
      'e8ecff2ce3eef0eee40ac0edede02ccceef1eae2e00ac1eee12cd2e2e5f0fc0acfb8f2f02ccae8e5e20a',
    ],
    [
      'koi8-r',
      'c9cdd12cc7cfd2cfc40ae1cecec12cedcfd3cbd7c10ae2cfc22cf4d7c5d2d80af0a3d4d22cebc9c5d70a',
    ],
    ['iso-8859-7', 'fcedefece12cf0fcebe70ab6edede12cc1e8deede10acddfeaeff22cd0dcf4f1e10a'],
    [
      'windows-1252',
      '4e616d652c53747261df650a4af672672c4772f6df650a426af6726e2c4ee468650a52656ee92c436166e920e0204f726ce9616e730a',
    ],
  ])('takes text in %s for no pairs', (_encoding, hex) => {
    expect(detectEncoding(Buffer.from(hex, 'hex'), true).encoding).toBe('windows-1252');
  });

  it('refuses what is no text, unless an encoding is stated', () => {
    const bytes = Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 7919) % 256));
    expect(() => detectEncoding(bytes, true)).toThrow(/^This is not text: .* at byte 0/);
    expect(() => detectEncoding(Buffer.alloc(64), true)).toThrow('not text');
    expect(detectEncoding(bytes, true, 'latin-1').encoding).toBe('windows-1252');
  });

  it.each([
    ['latin-1', 'windows-1252'],
    ['ISO-8859-1', 'windows-1252'],
    ['cp1252', 'windows-1252'],
    ['ascii', 'utf-8'],
    ['UTF_16', 'utf-16le'],
    ['Shift_JIS', 'shift_jis'],
    ['iso8859_15', 'iso-8859-15'],
    ['koi8_r', 'koi8-r'],
  ])('knows %s as %s', (label, encoding) => {
    expect(encodingOf(label)).toBe(encoding);
  });

  it('refuses an unknown encoding with the known ones, and UTF-32', () => {
    expect(() => encodingOf('klingon')).toThrow(
      expect.objectContaining({
        code: 'input-encoding',
        message: expect.stringContaining('shift_jis') as string,
      }) as Error,
    );
    expect(() => encodingOf('__proto__')).toThrow(/Unknown encoding/);
    expect(() => detectEncoding(Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), true)).toThrow(
      /UTF-32/,
    );
  });
});

describe('Transcoder', () => {
  const text = 'naïve,Zoë\n€5,œuvre “x”\n';

  it.each([1, 2, 3, 5, 1000])('gives the same text in pieces of %d bytes', (pieceBytes) => {
    const wide = Buffer.from(`\uFEFF${text}日本語😀\n`, 'utf16le');
    expect(transcode('utf-16le', wide, pieceBytes)).toBe(`${text}日本語😀\n`);
    expect(transcode('utf-16be', utf16be(`${text}😀`), pieceBytes)).toBe(`${text}😀`);
    expect(transcode('utf-8', Buffer.from(`\uFEFF${text}`), pieceBytes)).toBe(text);
    const western = Buffer.from('caf\xe9 \x80 \x9cuvre\n', 'latin1');
    expect(transcode('windows-1252', western, pieceBytes)).toBe('café € œuvre\n');
    const japanese = Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x0a]);
    expect(transcode('shift_jis', japanese, pieceBytes)).toBe('日本\n');
  });

  it('passes UTF-8 through without a copy, and leaves invalid bytes to the reader', () => {
    const bytes = Buffer.from([0x61, 0xff, 0x2c, 0xc3, 0x28]);
    expect(new Transcoder('utf-8').push(bytes)).toBe(bytes);
  });

  it('keeps bytes that only begin like a mark', () => {
    const transcoder = new Transcoder('utf-8');
    const parts = [[0xef], [0xbb], [0x41]].map((part) => transcoder.push(Uint8Array.from(part)));
    expect([...Buffer.concat([...parts, transcoder.finish()])]).toEqual([0xef, 0xbb, 0x41]);
    const short = new Transcoder('utf-8');
    const held = [short.push(Uint8Array.of(0xef)), short.finish()];
    expect([...Buffer.concat(held)]).toEqual([0xef]);
  });

  it('fails where bytes are not in the encoding', () => {
    const half = Buffer.from([0x00, 0xd8, 0x41, 0x00]);
    expect(() => transcode('utf-16le', half, 100)).toThrow(
      expect.objectContaining({ code: 'input-encoding' }) as Error,
    );
    expect(() => transcode('utf-16le', Buffer.from([0x61, 0, 0x62]), 100)).toThrow(/utf-16le/);
  });
});
