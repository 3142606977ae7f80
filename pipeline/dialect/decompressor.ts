import { Transform, type TransformCallback } from 'node:stream';
import zlib from 'node:zlib';
import { SluiceError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Compression } from './compression.ts';
import { ratioFault, type DecompressionLimits } from './decompression-limits.ts';
import { Unzipper } from './unzipper.ts';
import { ZstdDecompressor } from './zstd-decompressor.ts';

export type { DecompressionLimits } from './decompression-limits.ts';

const OUTPUT_CHUNK_BYTES = 64 * 1024;

/**
 * Compressed bytes in, bytes out. Gzip may have several members, and zstd several frames, with zero
 * padding after the last; ZIP one file.
 * Errors: `input-compression` for damaged, truncated or trailing bytes, `limit-exceeded` for a bomb.
 */
export function createDecompressor(
  kind: Exclude<Compression, 'none'>,
  limits: DecompressionLimits = LIMITS,
): Transform {
  if (kind === 'zip') return new Unzipper(limits);
  return kind === 'zstd' ? new ZstdDecompressor(limits) : new Decompressor(kind, limits);
}

type Streamed = Exclude<Compression, 'none' | 'zip' | 'zstd'>;
type Engine = zlib.Gunzip | zlib.Inflate | zlib.InflateRaw | zlib.BrotliDecompress;

/**
 * Wraps zlib's stream, since that one drops what follows a complete stream without a word.
 *
 * | state   | entered by            | bytes in          |
 * | ------- | --------------------- | ----------------- |
 * | idle    | construction          | create the engine |
 * | running | first byte            | go to the engine  |
 * | ended   | engine's end          | must be zeros     |
 */
class Decompressor extends Transform {
  private readonly compression: Streamed;
  private readonly limits: DecompressionLimits;
  private engine: Engine | null = null;
  private ended = false;
  private bytesIn = 0;
  private bytesOut = 0;
  private currentChunk: Uint8Array | null = null;
  private pending: TransformCallback | null = null;

  constructor(compression: Streamed, limits: DecompressionLimits) {
    super();
    this.compression = compression;
    this.limits = limits;
  }

  override _transform(chunk: Buffer, _encoding: string, callback: TransformCallback): void {
    if (chunk.length === 0) {
      callback();
      return;
    }
    this.bytesIn += chunk.length;
    if (this.ended) {
      callback(this.trailingFault(chunk));
      return;
    }
    this.engine ??= this.createEngine(chunk[0]!);
    this.currentChunk = chunk;
    this.pending = callback;
    this.engine.write(chunk, (error) => {
      if (!error) this.settle(null);
    });
  }

  override _flush(callback: TransformCallback): void {
    if (this.engine === null || this.ended) {
      callback();
      return;
    }
    this.pending = callback;
    this.engine.end();
  }

  override _read(size: number): void {
    this.engine?.resume();
    super._read(size);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.engine?.destroy();
    callback(error);
  }

  private createEngine(firstByte: number): Engine {
    const engine = newEngine(this.compression, firstByte);
    engine.on('data', (bytes: Buffer) => {
      this.bytesOut += bytes.length;
      const fault = ratioFault(this.bytesIn, this.bytesOut, this.limits);
      if (fault !== null) this.destroy(fault);
      else if (!this.push(bytes)) engine.pause();
    });
    engine.on('error', (cause) => {
      this.settle(this.damaged(cause.message, cause));
    });
    engine.on('end', () => {
      this.ended = true;
      const unread = this.bytesIn - engine.bytesWritten;
      const chunk = this.currentChunk;
      const rest = unread > 0 && chunk !== null ? chunk.subarray(-unread) : null;
      this.settle(rest === null ? null : this.trailingFault(rest));
    });
    return engine;
  }

  private settle(error: Error | null): void {
    const callback = this.pending;
    this.pending = null;
    if (callback !== null) callback(error);
    else if (error !== null) this.destroy(error);
  }

  private trailingFault(bytes: Uint8Array): SluiceError | null {
    if (bytes.every((byte) => byte === 0)) return null;
    return this.damaged('other bytes follow the end of the compressed data');
  }

  private damaged(why: string, cause?: unknown): SluiceError {
    const message = `The ${this.compression} data is damaged or truncated: ${why}`;
    const details = { compression: this.compression, bytesIn: this.bytesIn };
    return new SluiceError('input-compression', message, { cause, details });
  }
}

function newEngine(compression: Streamed, firstByte: number): Engine {
  const options = { chunkSize: OUTPUT_CHUNK_BYTES };
  if (compression === 'gzip') return zlib.createGunzip(options);
  if (compression === 'brotli') return zlib.createBrotliDecompress(options);
  const hasZlibHeader = (firstByte & 0x0f) === 8 && firstByte >> 4 <= 7;
  return hasZlibHeader ? zlib.createInflate(options) : zlib.createInflateRaw(options);
}
