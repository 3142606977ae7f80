import { Transform, type TransformCallback } from 'node:stream';
import zlib from 'node:zlib';
import { SluiceError } from '../errors.ts';
import { ratioFault, type DecompressionLimits } from './decompression-limits.ts';

const LOCAL_HEADER = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const HEADER_BYTES = 30;
/** Signature, checksum and two sizes, of 4 or of 8 bytes each. */
const DESCRIPTOR_BYTES = [16, 24] as const;
const OUTPUT_CHUNK_BYTES = 64 * 1024;
const STORED = 0;
const DEFLATED = 8;
const EMPTY = Buffer.alloc(0);

interface Entry {
  readonly name: string;
  readonly method: number;
  /** Size and checksum stand behind the data, not before it. */
  readonly isDescribedBehind: boolean;
  readonly crc: number;
  /** Folders, and what macOS adds to every archive. */
  readonly isSkipped: boolean;
}

/**
 * A ZIP archive in, the one file in it out. Reads the archive from its beginning, as it comes, and
 * not by the directory at its end. (PKWARE's APPNOTE 6.3, sections 4.3.7 and 4.3.9.)
 *
 * | state      | entered by                          | bytes in                             |
 * | ---------- | ----------------------------------- | ------------------------------------ |
 * | header     | construction, the end of an entry   | held until the header is complete    |
 * | stored     | a header of data as it is           | go out                               |
 * | deflated   | a header of deflated data           | go to the engine                     |
 * | descriptor | the end of data that it stands behind | held until it is complete          |
 * | directory  | any other signature than a header's | are dropped                          |
 */
export class Unzipper extends Transform {
  readonly #limits: DecompressionLimits;
  #state: 'header' | 'stored' | 'deflated' | 'descriptor' | 'directory' = 'header';
  #held: Buffer = EMPTY;
  #entry: Entry | null = null;
  #found: string | null = null;
  #left = 0;
  #crc = 0;
  #engine: zlib.InflateRaw | null = null;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(limits: DecompressionLimits) {
    super();
    this.#limits = limits;
  }

  override _transform(chunk: Buffer, _encoding: string, callback: TransformCallback): void {
    this.#bytesIn += chunk.length;
    this.#take(chunk).then(
      () => callback(),
      (thrown: Error) => callback(thrown),
    );
  }

  override _flush(callback: TransformCallback): void {
    if (this.#state !== 'directory') callback(damaged('it ends inside an entry'));
    else if (this.#found === null) callback(damaged('there is no file in it'));
    else callback();
  }

  override _read(size: number): void {
    this.#engine?.resume();
    super._read(size);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#engine?.destroy();
    callback(error);
  }

  async #take(chunk: Buffer): Promise<void> {
    let rest = chunk;
    while (rest.length > 0 && this.#state !== 'directory') {
      if (this.#state === 'stored') rest = this.#takeStored(rest);
      else if (this.#state === 'deflated') rest = await this.#inflate(rest);
      else {
        this.#held = Buffer.concat([this.#held, rest]);
        const taken = this.#state === 'header' ? this.#takeHeader() : this.#takeDescriptor();
        if (taken === 0) return;
        rest = this.#held.subarray(taken);
        this.#held = EMPTY;
      }
    }
  }

  /** Returns the bytes of the header, or 0 while it is not complete. */
  #takeHeader(): number {
    const held = this.#held;
    if (held.length < 4) return 0;
    if (held.readUInt32LE(0) !== LOCAL_HEADER) {
      this.#state = 'directory';
      return held.length;
    }
    if (held.length < HEADER_BYTES) return 0;
    const nameEnd = HEADER_BYTES + held.readUInt16LE(26);
    const end = nameEnd + held.readUInt16LE(28);
    if (held.length < end) return 0;
    if (nameEnd === HEADER_BYTES) throw damaged('an entry has no name');
    const flags = held.readUInt16LE(6);
    const name = held.toString('utf8', HEADER_BYTES, nameEnd);
    const method = held.readUInt16LE(8);
    if ((flags & 1) !== 0) throw unreadable(`${name} in it is encrypted`);
    const isDescribedBehind = (flags & 8) !== 0;
    if (method !== DEFLATED && (method !== STORED || isDescribedBehind)) {
      throw unreadable(`${name} in it is compressed by a method that is not supported`);
    }
    const isSkipped = name.endsWith('/') || /^__MACOSX\/|(^|\/)\.DS_Store$/.test(name);
    if (!isSkipped && this.#found !== null) {
      throw unreadable(`it holds several files (${this.#found}, ${name}, ...)`);
    }
    if (!isSkipped) this.#found = name;
    this.#entry = { name, method, isDescribedBehind, crc: held.readUInt32LE(14), isSkipped };
    this.#crc = 0;
    this.#left = storedBytes(held.readUInt32LE(18), held.subarray(nameEnd, end));
    this.#state = method === STORED ? 'stored' : 'deflated';
    if (this.#state === 'stored' && this.#left === 0) this.#endData();
    return end;
  }

  #takeStored(rest: Buffer): Buffer {
    const count = Math.min(this.#left, rest.length);
    this.#output(rest.subarray(0, count));
    this.#left -= count;
    if (this.#left === 0) this.#endData();
    return rest.subarray(count);
  }

  /** Returns what is behind the end of the deflated data. */
  async #inflate(chunk: Buffer): Promise<Buffer> {
    const engine = (this.#engine ??= this.#createEngine());
    const before = engine.bytesWritten;
    const rest = await new Promise<Buffer | null>((resolve, reject) => {
      engine.once('end', () => resolve(chunk.subarray(engine.bytesWritten - before)));
      engine.once('error', (cause) => reject(damaged(cause.message, cause)));
      engine.write(chunk, (error) => {
        // Where bytes are left over the data has ended; 'end' comes when all that it gave is out.
        if (!error && engine.bytesWritten - before === chunk.length) resolve(null);
      });
    });
    if (rest === null) {
      engine.removeAllListeners('end').removeAllListeners('error');
      return EMPTY;
    }
    engine.destroy();
    this.#engine = null;
    this.#endData();
    return rest;
  }

  #createEngine(): zlib.InflateRaw {
    const engine = zlib.createInflateRaw({ chunkSize: OUTPUT_CHUNK_BYTES });
    return engine.on('data', (bytes: Buffer) => {
      if (!this.#output(bytes)) engine.pause();
    });
  }

  #output(bytes: Buffer): boolean {
    this.#crc = zlib.crc32(bytes, this.#crc);
    this.#bytesOut += bytes.length;
    const fault = ratioFault(this.#bytesIn, this.#bytesOut, this.#limits);
    if (fault !== null) this.destroy(fault);
    return fault !== null || this.#entry?.isSkipped === true || this.push(bytes);
  }

  #endData(): void {
    const entry = this.#entry!;
    if (entry.isDescribedBehind) this.#state = 'descriptor';
    else this.#endEntry(entry.crc);
  }

  /** Its sizes are of 8 bytes where a signature follows behind those, and not behind 4. */
  #takeDescriptor(): number {
    const held = this.#held;
    if (held.length < DESCRIPTOR_BYTES[1] + 4) return 0;
    const start = held.readUInt32LE(0) === DESCRIPTOR ? 4 : 0;
    const isEnd = (at: number): boolean => held[at] === 0x50 && held[at + 1] === 0x4b;
    const length = DESCRIPTOR_BYTES.map((bytes) => bytes - 4 + start).find(isEnd);
    if (length === undefined) throw damaged('what follows the data is no entry');
    this.#endEntry(held.readUInt32LE(start));
    return length;
  }

  #endEntry(crc: number): void {
    if (crc !== this.#crc) throw damaged(`${this.#entry!.name} does not match its checksum`);
    this.#state = 'header';
  }
}

/** Compressed size of the entry, from its ZIP64 field where 32 bits do not hold it. */
function storedBytes(size: number, extra: Buffer): number {
  if (size !== 0xffffffff) return size;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1 && at + 20 <= extra.length) {
      return Number(extra.readBigUInt64LE(at + 12));
    }
  }
  throw damaged('a size is missing');
}

function damaged(why: string, cause?: unknown): SluiceError {
  const message = `The zip data is damaged or truncated: ${why}`;
  return new SluiceError('input-compression', message, { cause, details: { compression: 'zip' } });
}

function unreadable(why: string): SluiceError {
  const message = `The ZIP archive cannot be read: ${why}. Unpack it and upload the table in it.`;
  return new SluiceError('input-compression', message, { details: { compression: 'zip' } });
}
