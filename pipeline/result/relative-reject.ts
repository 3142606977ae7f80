import { isUtf8 } from 'node:buffer';
import { SluiceError } from '../errors.ts';
import type { Reject } from '../protocol/job.ts';

/** What of the input a record is that came to a later wave. All count from 0. */
export interface RecordOrigin {
  readonly chunk: number;
  /** From the chunk's first. */
  readonly record: number;
  readonly line: number;
  readonly byteOffset: number;
  /** Of the record, line end excluded. */
  readonly bytes: number;
}

/** A reject as a chunk's result holds it: `record`, `line` and `byteOffset` count from 0 at the
 *  chunk's start, so that equal chunks have equal results wherever they stand. */
export type RelativeReject = Omit<Reject, 'chunk' | 'wave' | 'derived' | 'line' | 'byteOffset'> & {
  readonly line: number;
  readonly byteOffset: number;
  /** Only of a record that came from an earlier wave and knows it: `raw` is its cells as they came. */
  readonly origin?: RecordOrigin;
};

/** A record's bytes as rejects show them. */
export function rawText(bytes: Uint8Array): Pick<Reject, 'raw' | 'rawEncoding'> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(bytes)
    ? { raw: text.toString('utf8'), rawEncoding: 'utf-8' }
    : { raw: text.toString('latin1'), rawEncoding: 'latin-1' };
}

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
  const { message, raw, rawEncoding, origin } = reject;
  return JSON.stringify({
    ...{ record, line, byteOffset, column, columnName, step, code, message, raw, rawEncoding },
    ...(origin === undefined ? {} : { origin }),
  });
}
