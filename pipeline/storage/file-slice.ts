import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileSlice, Room } from './blob-store.ts';

/**
 * A file that changed less than this before it is opened may change again and keep its times: FAT
 * counts them in 2 s, other file systems in the ticks of the system's clock.
 */
const SETTLED_MS = 3_000;

/**
 * What an open file has that any later change gives it another of: device, number, size, and the
 * times of its last change in nanoseconds. Null when it changed so lately that the next change may
 * not show.
 */
export function settledVersion(descriptor: number, nowMs: number): string | null {
  const stat = fstatSync(descriptor, { bigint: true });
  const changedMs = stat.mtimeMs > stat.ctimeMs ? stat.mtimeMs : stat.ctimeMs;
  return Number(changedMs) + SETTLED_MS < nowMs ? versionOf(stat) : null;
}

export interface SliceBytes {
  /** Fewer when the file ends before the slice does. */
  readonly bytes: Uint8Array;
  /** Whether these are surely the bytes that were there when the slice's version was taken. */
  readonly isUnchanged: boolean;
}

/** Reads the slice into `room`. Its version is looked at when it was read. */
export async function readSlice(slice: FileSlice, room: Room): Promise<SliceBytes> {
  const byteCount = Math.max(0, slice.end - slice.start);
  const bytes = room(byteCount);
  const file = await open(slice.path, 'r');
  try {
    let at = 0;
    while (at < byteCount) {
      const { bytesRead } = await file.read(bytes, at, byteCount - at, slice.start + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    const stat = slice.version === null ? null : await file.stat({ bigint: true });
    return sliceBytes(slice, bytes.subarray(0, at), stat);
  } finally {
    await file.close();
  }
}

/** As `readSlice`, by calls that block. */
export function readSliceNow(slice: FileSlice, room: Room): SliceBytes {
  const byteCount = Math.max(0, slice.end - slice.start);
  const bytes = room(byteCount);
  const file = openSync(slice.path, 'r');
  try {
    let at = 0;
    while (at < byteCount) {
      const bytesRead = readSync(file, bytes, at, byteCount - at, slice.start + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    const stat = slice.version === null ? null : fstatSync(file, { bigint: true });
    return sliceBytes(slice, bytes.subarray(0, at), stat);
  } finally {
    closeSync(file);
  }
}

function sliceBytes(
  { start, end, version }: FileSlice,
  bytes: Uint8Array,
  stat: BigIntStats | null,
): SliceBytes {
  const isWhole = bytes.length === end - start;
  return { bytes, isUnchanged: isWhole && stat !== null && versionOf(stat) === version };
}

function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
