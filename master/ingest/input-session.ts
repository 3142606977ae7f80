import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Chunker } from '../../pipeline/chunking/chunker.ts';
import type { TakeChunk } from '../../pipeline/chunking/chunker.ts';
import { errorDocument } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { KernelModule } from '../../pipeline/parsing/structural/kernel.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import type { PlanDocument } from '../../pipeline/plan/schema.ts';
import type { IngestBlobStore } from '../../pipeline/storage/blob-store.ts';
import { settledVersion } from '../../pipeline/storage/file-slice.ts';
import { type ChunkPlace, ChunkWriter } from './chunk-writer.ts';
import type { FromSession, InputRequest, ReadingPoint } from './ingest-messages.ts';
import { openInput } from './open-input.ts';
import type { OpenedInput } from './open-input.ts';
import { openLookups } from './open-lookup.ts';
import { readOptionsOf } from './read-options.ts';
import { SessionInbox } from './session-inbox.ts';
import { storeContexts } from './store-contexts.ts';

export interface ThreadDeps {
  readonly blobs: IngestBlobStore;
  /** Inputs are scanned without it where it is left out. */
  readonly kernel?: KernelModule;
}

/** Of a local file, between two looks at the messages; and what its progress is told in. */
const TURN_BYTES = 4 * 1024 * 1024;
const READ_BYTES = 256 * 1024;

/**
 * Reads one input to its end, in an ingest thread: decode, sniff, cut, hash, write. Tells of each
 * step over the port, at last `finished` or `failed`; nothing is being written then.
 */
export async function runSession(
  deps: ThreadDeps,
  port: MessagePort,
  input: InputRequest,
): Promise<void> {
  const inbox = new SessionInbox(port, input);
  const tell = (message: FromSession): void => port.postMessage(message);
  const session = new InputSession(deps, inbox, tell, input);
  try {
    tell({ kind: 'finished', inputHash: await session.read() });
  } catch (thrown) {
    await session.rest();
    tell({ kind: 'failed', error: errorDocument(thrown) });
  } finally {
    port.close();
  }
}

class InputSession {
  readonly #deps: ThreadDeps;
  readonly #inbox: SessionInbox;
  readonly #tell: (message: FromSession) => void;
  readonly #input: InputRequest;
  #writer: ChunkWriter | null = null;
  /** Of a local file: bytes that were told of. */
  #told = 0;
  /** Of a local file, before it was read. */
  #version: string | null = null;

  constructor(
    deps: ThreadDeps,
    inbox: SessionInbox,
    tell: (message: FromSession) => void,
    input: InputRequest,
  ) {
    this.#deps = deps;
    this.#inbox = inbox;
    this.#tell = tell;
    this.#input = input;
  }

  /** Returns the input's hash. */
  async read(): Promise<string> {
    const { file } = this.#input;
    if (file === null) return await this.#readOpened(this.#inbox.body(), null);
    const descriptor = openSync(file, 'r');
    this.#version = settledVersion(descriptor, Date.now());
    try {
      return await this.#readOpened(this.#fileBytes(descriptor), descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Waits for what is being written. */
  async rest(): Promise<void> {
    await this.#writer?.rest();
  }

  async #readOpened(body: AsyncIterable<Uint8Array>, file: number | null): Promise<string> {
    const from = this.#input.earlier?.from ?? null;
    if (from !== null) return await this.#readOn(from);
    const plan = this.#plan();
    const { formatHint, compressionHint } = this.#input;
    const opened = await openInput(body, readOptionsOf(plan), formatHint, compressionHint);
    const { sniffed } = opened;
    const { blobs } = this.#deps;
    const { chunkLimits, lookupFiles } = this.#input;
    const openedLookups = await openLookups({ ...this.#deps, chunkLimits }, plan, lookupFiles);
    const { compiled, lookups } = await openedLookups.settle((known) =>
      compilePlan(plan, {
        format: sniffed.input.format,
        dialect: sniffed.dialect,
        columns: sniffed.input.columns,
        lookups: known,
      }),
    );
    const waves = await storeContexts(blobs, compiled);
    const [{ context, contextKey }] = waves;
    const { input, warnings, dataOffset, dataLine } = sniffed;
    const { outputColumns, shape, checks, resultFormat } = compiled;
    this.#tell({
      kind: 'described',
      facts: {
        ...{ input, warnings, waves, outputColumns, shape },
        ...{ checks, resultFormat, lookups, dataOffset, dataLine },
      },
      textStart: opened.raw?.textStart ?? null,
    });
    const point = { byteOffset: dataOffset, line: dataLine, contextKey, context };
    const { chunker, writer } = this.#start(point, this.#placeIn(opened));
    if (opened.raw === null) await this.#cutText(chunker, opened);
    else if (file === null) await this.#cutBody(chunker, opened.raw.ahead(), dataOffset);
    else await this.#cutFile(chunker, file, opened.raw.textStart + dataOffset);
    return await this.#end(chunker, writer);
  }

  /** Reads the rest of an input whose first chunks are stored: plain UTF-8 of a body. */
  async #readOn(from: ReadingPoint): Promise<string> {
    const { chunker, writer } = this.#start(from, null);
    await this.#cutBody(chunker, new Uint8Array(0), 0);
    return await this.#end(chunker, writer);
  }

  #start(point: ReadingPoint, place: ChunkPlace | null): { chunker: Chunker; writer: ChunkWriter } {
    const { blobs, kernel } = this.#deps;
    const { context, byteOffset, line } = point;
    const { earlier } = this.#input;
    const writer = new ChunkWriter({
      blobs,
      contextKey: point.contextKey,
      onError: context.onError,
      header: context.columns.map((column) => column.name),
      place,
      knownKeys: earlier?.chunkKeys ?? [],
      knownComeAgain: earlier?.from == null,
      onStored: (chunk, answer, endLine) => this.#tell({ kind: 'stored', chunk, answer, endLine }),
    });
    this.#writer = writer;
    const dialect = context.format === 'csv' ? context.dialect : 'ndjson';
    const chunker = new Chunker(dialect, this.#input.chunkLimits, {
      recordBytesMax: LIMITS.recordBytesMax,
      startOffset: byteOffset,
      startLine: line,
      kernel,
    });
    return { chunker, writer };
  }

  async #end(chunker: Chunker, writer: ChunkWriter): Promise<string> {
    chunker.finishTo(this.#take);
    await writer.settle(0);
    this.#inbox.signal.throwIfAborted();
    return writer.inputHash();
  }

  #plan(): PlanDocument {
    const { planText, profile } = this.#input;
    const plan = parsePlan(planText);
    return plan.steps === null && !profile ? { ...plan, steps: [] } : plan;
  }

  /** Where a chunk of a local file is found again, when the run ends before the file may change. */
  #placeIn({ raw }: OpenedInput): ChunkPlace | null {
    const { file } = this.#input;
    if (file === null || raw === null || this.#deps.blobs.isDurable) return null;
    const absolute = path.resolve(file);
    const { textStart } = raw;
    const version = this.#version;
    return ({ byteOffset, fullBytes }) => {
      const start = textStart + byteOffset;
      return { path: absolute, start, end: start + fullBytes, version };
    };
  }

  readonly #take: TakeChunk = (cut) => this.#writer?.take(cut);

  async #cutText(chunker: Chunker, { text, sniffed }: OpenedInput): Promise<void> {
    let skip = sniffed.dataOffset;
    for await (const bytes of text) {
      const fresh = skip >= bytes.length ? bytes.subarray(bytes.length) : bytes.subarray(skip);
      skip = Math.max(0, skip - bytes.length);
      chunker.pushTo(fresh, this.#take);
      await this.#settle();
    }
  }

  /** A body in plain UTF-8 is scanned as it comes. */
  async #cutBody(chunker: Chunker, ahead: Uint8Array, dataOffset: number): Promise<void> {
    const inbox = this.#inbox;
    chunker.pushTo(ahead.subarray(dataOffset), this.#take);
    await this.#settle();
    while (await inbox.more()) {
      for (let bytes = inbox.view(); bytes.length > 0; bytes = inbox.view()) {
        chunker.pushTo(bytes, this.#take);
        inbox.use(bytes.length);
        await this.#settle();
      }
    }
  }

  /** Plain UTF-8 of a local file goes from the system straight to where it is scanned. */
  async #cutFile(chunker: Chunker, file: number, start: number): Promise<void> {
    let at = start;
    let turnAt = at + TURN_BYTES;
    const read = (room: Buffer): number => readSync(file, room, 0, room.length, at);
    for (let length = 1; length > 0;) {
      length = chunker.pushFrom(read, this.#take);
      at += length;
      await this.#settle();
      if (at < turnAt && length > 0) continue;
      turnAt = at + TURN_BYTES;
      await this.#turn(at);
    }
  }

  /** Bytes of a local file that need decoding, or are looked at to describe the input. */
  async *#fileBytes(file: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; ;) {
      const bytes = Buffer.allocUnsafeSlow(READ_BYTES);
      const length = readSync(file, bytes);
      if (length === 0) return;
      at += length;
      yield bytes.subarray(0, length);
      await this.#turn(at);
    }
  }

  /** Tells how far a local file was read, and lets messages come in. */
  async #turn(readBytes: number): Promise<void> {
    const fresh = Math.max(0, readBytes - this.#told);
    this.#told += fresh;
    this.#tell({ kind: 'taken', bytes: fresh });
    await nextTurn();
    this.#inbox.signal.throwIfAborted();
  }

  async #settle(): Promise<void> {
    const writer = this.#writer;
    if (writer === null) return;
    await writer.settle();
    await this.#inbox.room(writer.count);
  }
}
