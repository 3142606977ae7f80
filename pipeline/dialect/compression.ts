import { SluiceError } from '../errors.ts';
import { isZip, refuseBinary, startsWith } from './binary-formats.ts';

/** Compressions that can be read. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'zip' | UnmarkedCompression;

/** What no first bytes tell, and a plan or a client has to say. */
export type UnmarkedCompression = 'brotli' | 'deflate';

/** What first bytes can tell. */
export type DetectedCompression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz' | 'zip';

const MAGIC: readonly (readonly [DetectedCompression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];
/** Behind a first byte of 0x50 to 0x5f: a frame to be skipped (RFC 8878, 3.1.2). */
const ZSTD_SKIPPABLE = [0x2a, 0x4d, 0x18];
const BZIP2_BLOCK = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];

/** Compression by magic bytes, never by a file's name. */
export function compressionByMagic(head: Uint8Array): DetectedCompression {
  if (isZip(head)) return 'zip';
  for (const [kind, magic] of MAGIC) {
    if (!startsWith(head, magic)) continue;
    if (kind === 'bzip2' && !startsWith(head.subarray(4), BZIP2_BLOCK)) continue;
    return kind;
  }
  return isSkippableFrame(head) ? 'zstd' : 'none';
}

function isSkippableFrame(head: Uint8Array): boolean {
  return head.length > 0 && head[0]! >> 4 === 5 && startsWith(head.subarray(1), ZSTD_SKIPPABLE);
}

/**
 * Compression to read with, from what the plan states ('auto' when it does not), the first bytes, and
 * what the client said where neither tells.
 * Throws `input-compression` when bytes and plan disagree or the compression is not supported, and
 * `input-format` for bytes that are no text at all (Excel workbooks included, which are ZIP archives).
 */
export function detectCompression(
  head: Uint8Array,
  stated = 'auto',
  hint: UnmarkedCompression | null = null,
): Compression {
  const detected = compressionByMagic(head);
  const found = detected === 'none' ? (hint ?? 'none') : detected;
  const wanted = stated === 'auto' ? found : stated;
  if (wanted !== 'brotli' && wanted !== 'deflate') refuseBinary(head);
  switch (wanted) {
    case 'none':
      return 'none';
    case 'gzip':
    case 'zstd':
    case 'zip':
      if (detected === wanted) return wanted;
      throw notReadable(wanted, `was stated, but the bytes are not ${wanted}`);
    case 'deflate':
    case 'brotli':
      return wanted;
    default:
      throw notReadable(wanted, 'is not supported yet');
  }
}

function notReadable(kind: string, why: string): SluiceError {
  const message = `Compression ${kind} ${why}. Unpack the file, or compress it with gzip.`;
  return new SluiceError('input-compression', message, { details: { compression: kind } });
}
