import { Transform, type TransformCallback } from 'node:stream';
import { SluiceError } from '../errors.ts';
import { ratioFault, type DecompressionLimits } from './decompression-limits.ts';
import { zstdDamage, ZstdEngine } from './zstd-engine.ts';

const EMPTY = new Uint8Array(0);

/**
 * Zstandard (RFC 8878) in, bytes out: any frames in a row, skippable ones too.
 *
 * | state   | entered by                 | bytes in                      |
 * | ------- | -------------------------- | ----------------------------- |
 * | between | construction, end of frame | begin a frame, or the padding |
 * | inside  | first byte of a frame      | go to the engine              |
 * | padding | a zero between frames      | must be zeros                 |
 *
 * Errors: `input-compression` for what is damaged, truncated, followed by other bytes, or needs a
 * dictionary or too large a window; `limit-exceeded` for a bomb.
 */
export class ZstdDecompressor extends Transform {
  readonly #limits: DecompressionLimits;
  #engine: ZstdEngine | null = null;
  #state: 'between' | 'inside' | 'padding' = 'between';
  #hasFrame = false;
  #bytesIn = 0;
  #bytesOut = 0;
  #input: Uint8Array = EMPTY;
  /** The engine has more output than it gave. */
  #isFull = false;
  /** The reader of the output has enough. */
  #isPaused = false;
  #pending: TransformCallback | null = null;

  constructor(limits: DecompressionLimits) {
    super();
    this.#limits = limits;
  }

  override _construct(callback: (error?: Error | null) => void): void {
    ZstdEngine.create().then(
      (engine) => {
        this.#engine = engine;
        callback();
      },
      (error: unknown) => callback(error as Error),
    );
  }

  override _transform(chunk: Buffer, _encoding: string, callback: TransformCallback): void {
    this.#bytesIn += chunk.length;
    this.#input = chunk;
    this.#pending = callback;
    this.#advance();
  }

  override _flush(callback: TransformCallback): void {
    callback(this.#state === 'inside' ? damaged('it ends inside a frame') : null);
  }

  override _read(size: number): void {
    if (this.#isPaused) this.#advance();
    super._read(size);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#engine = null;
    callback(error);
  }

  /** Reads on until the input is at its end, or the output's reader has enough. */
  #advance(): void {
    this.#isPaused = false;
    let fault: Error | null = null;
    try {
      if (!this.#decompress()) return;
    } catch (error) {
      fault = error as Error;
    }
    const callback = this.#pending;
    this.#pending = null;
    this.#input = EMPTY;
    callback?.(fault);
  }

  /** False when the output's reader has enough. */
  #decompress(): boolean {
    for (;;) {
      if (this.#isPaused || this.#engine === null) return false;
      let unread = this.#engine.unread();
      if (unread.length === 0 && !this.#isFull) {
        if (this.#input.length === 0) return true;
        this.#input = this.#engine.take(this.#input);
        unread = this.#engine.unread();
      }
      if (this.#state === 'between' && this.#hasFrame && unread[0] === 0) this.#state = 'padding';
      if (this.#state === 'padding') this.#skipPadding(this.#engine, unread);
      else this.#step(this.#engine);
    }
  }

  #step(engine: ZstdEngine): void {
    const step = engine.step();
    this.#isFull = step.isFull;
    this.#state = step.isFrameEnd ? 'between' : 'inside';
    this.#hasFrame ||= step.isFrameEnd;
    this.#isPaused = !this.#output(step.output);
  }

  #skipPadding(engine: ZstdEngine, unread: Uint8Array): void {
    if (unread.some((byte) => byte !== 0)) {
      throw damaged('other bytes follow the end of the compressed data');
    }
    engine.take(EMPTY);
  }

  #output(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    this.#bytesOut += bytes.length;
    const fault = ratioFault(this.#bytesIn, this.#bytesOut, this.#limits);
    if (fault !== null) throw fault;
    return this.push(bytes);
  }
}

function damaged(why: string): SluiceError {
  const details = { compression: 'zstd' };
  return new SluiceError('input-compression', zstdDamage(why), { details });
}
