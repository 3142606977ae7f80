import { createReadStream } from 'node:fs';
import { addAbortSignal, Readable } from 'node:stream';
import type { InputSource } from './input-source.ts';

/** What is sent in one request, from `start` on. Can be read again from any byte of it. */
export interface UploadPart {
  readonly start: number;
  /** Null for a file: it goes on to its end. */
  readonly bytes: number | null;
  /** The input's length, when this part ends it and it was not known before. */
  readonly bytesTotal: number | null;
  /** The part's bytes from `offset` of the input on. */
  open(offset: number): Readable;
}

/** Kept in memory of an input that cannot be read twice, until the server has it. */
const PART_BYTES = 8 * 1024 * 1024;

/** A file in one part; standard input in parts that are held until they are acknowledged. */
export function uploadParts(input: InputSource, signal: AbortSignal): AsyncIterable<UploadPart> {
  const { path, bytesTotal } = input;
  return path === null || bytesTotal === null
    ? heldParts(addAbortSignal(signal, input.open()))
    : onePart(path, bytesTotal);
}

async function* onePart(path: string, bytesTotal: number): AsyncGenerator<UploadPart> {
  const highWaterMark = 1024 * 1024;
  await Promise.resolve();
  yield {
    ...{ start: 0, bytes: null, bytesTotal: null },
    open: (start) =>
      start >= bytesTotal
        ? Readable.from([])
        : createReadStream(path, { start, end: bytesTotal - 1, highWaterMark }),
  };
}

async function* heldParts(body: Readable): AsyncGenerator<UploadPart> {
  let start = 0;
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const buffer of body as AsyncIterable<Buffer>) {
    if (bytes >= PART_BYTES) {
      yield heldPart(start, held, false);
      start += bytes;
      held = [];
      bytes = 0;
    }
    held.push(buffer);
    bytes += buffer.length;
  }
  yield heldPart(start, held, true);
}

function heldPart(start: number, held: readonly Buffer[], isLast: boolean): UploadPart {
  const whole = Buffer.concat(held);
  const bytesTotal = isLast ? start + whole.length : null;
  return {
    ...{ start, bytes: whole.length, bytesTotal },
    open: (offset) => Readable.from([whole.subarray(offset - start)], { objectMode: false }),
  };
}
