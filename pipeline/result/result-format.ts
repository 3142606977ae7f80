import { createHash } from 'node:crypto';
import { invariant, SluiceError } from '../errors.ts';
import type { ChunkStatistics } from '../protocol/messages.ts';

/**
 * The stored result of a task, one object:
 *
 * ```
 * head      RESULT_HEAD_BYTES  magic and version (8) · JSON, padded with blanks · sha256 of both (32)
 * output    output records as they are downloaded, without header
 * rejects   NDJSON, one RelativeReject a line
 * partial   see pipeline/result/partial.ts; may be empty
 * exchange  index of the output for the wave that reads it by slices; empty in the last wave
 * ```
 *
 * The head says where each section is and what its sha256 is, so one small read of fixed size is
 * enough to serve a range of the output. Equal inputs give equal bytes.
 */
export const RESULT_HEAD_BYTES = 1024;

const MAGIC = new TextEncoder().encode('SLUICER2');
const HASH_BYTES = 32;
const HEAD_JSON_END = RESULT_HEAD_BYTES - HASH_BYTES;

/** A part of the result object, `[start, end)` in bytes from its beginning. */
export interface ResultSection {
  readonly start: number;
  readonly end: number;
  readonly sha256: string;
}

export type SectionName = 'output' | 'rejects' | 'partial' | 'exchange';

export interface ResultHead {
  readonly statistics: ChunkStatistics;
  readonly sections: Readonly<Record<SectionName, ResultSection>>;
}

export interface ResultContent {
  readonly statistics: ChunkStatistics;
  /** Parts of the output, in order; not copied. */
  readonly output: readonly Uint8Array[];
  readonly rejects: Uint8Array;
  readonly partial: Uint8Array;
  readonly exchange: Uint8Array;
}

/** Bytes whose sha256 is known. */
export interface HashedBytes {
  readonly bytes: Uint8Array;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/**
 * The result object as parts to be written one after another. An output that is the whole chunk, as
 * that of a clean file is, has the chunk's hash: hashing is what a copy would spend most time on.
 */
export function encodeResult(content: ResultContent, chunk?: HashedBytes): Uint8Array[] {
  const outputBytes = content.output.reduce((sum, part) => sum + part.length, 0);
  invariant(
    outputBytes === content.statistics.outputBytes,
    'statistics tell the size of the output',
  );
  const outputEnd = RESULT_HEAD_BYTES + outputBytes;
  const rejectsEnd = outputEnd + content.rejects.length;
  const partialEnd = rejectsEnd + content.partial.length;
  const exchangeEnd = partialEnd + content.exchange.length;
  const head = encodeHead({
    statistics: orderedStatistics(content.statistics),
    sections: {
      output: {
        start: RESULT_HEAD_BYTES,
        end: outputEnd,
        sha256: outputHash(content.output, chunk),
      },
      rejects: { start: outputEnd, end: rejectsEnd, sha256: sha256([content.rejects]) },
      partial: { start: rejectsEnd, end: partialEnd, sha256: sha256([content.partial]) },
      exchange: { start: partialEnd, end: exchangeEnd, sha256: sha256([content.exchange]) },
    },
  });
  return [head, ...content.output, content.rejects, content.partial, content.exchange];
}

/** Reads the head from at least the first `RESULT_HEAD_BYTES` of a result. Throws `blob-corrupt`. */
export function readResultHead(bytes: Uint8Array): ResultHead {
  if (bytes.length < RESULT_HEAD_BYTES) throw corrupt('is shorter than its head');
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw corrupt('has another format or version');
  const hash = createHash('sha256').update(bytes.subarray(0, HEAD_JSON_END)).digest();
  const stored = bytes.subarray(HEAD_JSON_END, RESULT_HEAD_BYTES);
  if (!stored.every((byte, i) => hash[i] === byte)) throw corrupt('has a head that was changed');
  const json = new TextDecoder().decode(bytes.subarray(MAGIC.length, HEAD_JSON_END));
  return JSON.parse(json) as ResultHead;
}

/** Size of the whole result object in bytes. */
export function resultBytes(head: ResultHead): number {
  return head.sections.exchange.end;
}

/** Checks a section that was read by its range and returns it. Throws `blob-corrupt`. */
export function decodeSection(head: ResultHead, name: SectionName, bytes: Uint8Array): Uint8Array {
  const section = head.sections[name];
  if (bytes.length !== section.end - section.start) throw corrupt(`has a cut section ${name}`);
  if (sha256([bytes]) !== section.sha256) throw corrupt(`has a changed section ${name}`);
  return bytes;
}

/** Cuts a section out of a whole result object and checks it. Throws `blob-corrupt`. */
export function sectionOf(head: ResultHead, name: SectionName, result: Uint8Array): Uint8Array {
  const { start, end } = head.sections[name];
  return decodeSection(head, name, result.subarray(start, end));
}

function encodeHead(head: ResultHead): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head));
  invariant(MAGIC.length + json.length <= HEAD_JSON_END, 'the head of a result has its fixed size');
  const bytes = new Uint8Array(RESULT_HEAD_BYTES).fill(0x20);
  bytes.set(MAGIC, 0);
  bytes.set(json, MAGIC.length);
  const hash = createHash('sha256').update(bytes.subarray(0, HEAD_JSON_END)).digest();
  bytes.set(hash, HEAD_JSON_END);
  return bytes;
}

/** The counts in one order, whatever order the caller wrote them in. */
function orderedStatistics(statistics: ChunkStatistics): ChunkStatistics {
  const { recordsIn, recordsOut, rejected, filtered, deduplicated, aggregated } = statistics;
  const { lines, bytesIn, outputRecords, outputBytes, warned } = statistics;
  return {
    ...{ recordsIn, recordsOut, rejected, filtered, deduplicated, aggregated },
    ...(warned === undefined ? {} : { warned }),
    ...{ lines, bytesIn, outputRecords, outputBytes },
  };
}

function outputHash(output: readonly Uint8Array[], chunk: HashedBytes | undefined): string {
  const [part] = output;
  const isChunk =
    output.length === 1 &&
    part?.buffer === chunk?.bytes.buffer &&
    part?.byteOffset === chunk?.bytes.byteOffset &&
    part?.length === chunk?.bytes.length;
  return isChunk && chunk !== undefined ? chunk.sha256 : sha256(output);
}

function sha256(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function corrupt(what: string): SluiceError {
  return new SluiceError('blob-corrupt', `A stored result ${what}`);
}
