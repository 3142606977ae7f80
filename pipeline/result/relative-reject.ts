import { SluiceError } from '../errors.ts';
import type { Reject } from '../protocol/job.ts';

/** A reject as a chunk's result holds it: `record`, `line` and `byteOffset` count from 0 at the
 *  chunk's start, so that equal chunks have equal results wherever they stand. */
export type RelativeReject = Omit<Reject, 'chunk' | 'wave' | 'line' | 'byteOffset'> & {
  readonly line: number;
  readonly byteOffset: number;
};

/** The rejects section: one JSON object a line, keys in one order. */
export function encodeRejects(rejects: readonly RelativeReject[]): Uint8Array {
  return new TextEncoder().encode(rejects.map((reject) => `${rejectLine(reject)}\n`).join(''));
}

/** Reads a rejects section. Throws `blob-corrupt`. */
export function decodeRejects(section: Uint8Array): RelativeReject[] {
  const lines = new TextDecoder().decode(section).split('\n');
  try {
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RelativeReject);
  } catch (error) {
    throw new SluiceError('blob-corrupt', 'A rejects section is not NDJSON', { cause: error });
  }
}

function rejectLine(reject: RelativeReject): string {
  const { record, line, byteOffset, column, columnName, step, code } = reject;
  const { message, raw, rawEncoding } = reject;
  return JSON.stringify({
    ...{ record, line, byteOffset, column, columnName, step, code, message, raw, rawEncoding },
  });
}
