import { writevSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/**
 * Writes the parts behind each other, from `position` on or where the file is: in one call of the
 * system, not in one for each half megabyte.
 */
export async function writeAll(
  file: Pick<FileHandle, 'writev'>,
  parts: readonly Uint8Array[],
  position?: number,
): Promise<void> {
  let left = parts.filter(({ length }) => length > 0);
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await file.writev(left, at);
    left = withoutFirst(left, bytesWritten);
    if (at !== undefined) at += bytesWritten;
  }
}

/** As `writeAll`, by calls that block. */
export function writeAllNow(file: number, parts: readonly Uint8Array[], position: number): void {
  let left = parts.filter(({ length }) => length > 0);
  for (let at = position; left.length > 0;) {
    const bytesWritten = writevSync(file, left, at);
    left = withoutFirst(left, bytesWritten);
    at += bytesWritten;
  }
}

/** What is left to be written: a disk that gets full takes a part, and tells why at the next call. */
function withoutFirst(parts: readonly Uint8Array[], byteCount: number): Uint8Array[] {
  let left = byteCount;
  return parts.flatMap((part) => {
    const gone = Math.min(left, part.length);
    left -= gone;
    return gone === part.length ? [] : [part.subarray(gone)];
  });
}
