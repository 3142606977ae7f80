import { Transform, type TransformCallback } from 'node:stream';
import { toSluiceError } from '../errors.ts';
import { JsonLines } from './json-lines.ts';

const OUTPUT_BYTES = 64 * 1024;

/** A JSON document (UTF-8 bytes) in, one record a line out. See `JsonLines` for the rules. */
export class JsonToNdjson extends Transform {
  readonly #lines = new JsonLines();

  get warnings(): string[] {
    return this.#lines.warnings;
  }

  override _transform(chunk: Uint8Array, _encoding: string, callback: TransformCallback): void {
    try {
      this.#lines.push(chunk);
      if (this.#lines.pendingChars >= OUTPUT_BYTES) this.push(this.#lines.take());
      callback();
    } catch (thrown) {
      callback(toSluiceError(thrown));
    }
  }

  override _flush(callback: TransformCallback): void {
    try {
      this.#lines.finish();
      if (this.#lines.pendingChars > 0) this.push(this.#lines.take());
      callback();
    } catch (thrown) {
      callback(toSluiceError(thrown));
    }
  }
}
