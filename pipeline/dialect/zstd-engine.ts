import { SluiceError } from '../errors.ts';
import { LIMITS } from '../limits.ts';

const INPUT_BYTES = 64 * 1024;
/** The largest block that the format has (RFC 8878, 3.1.1.2.4). */
const OUTPUT_BYTES = 128 * 1024;
/** `ZSTD_inBuffer` and `ZSTD_outBuffer`: pointer, size and position, of 32 bits each. */
const BUFFER_STRUCT_BYTES = 12;
/** Stack, tables and buffers, and the window of one frame. */
const MEMORY_BYTES_MAX = LIMITS.zstdWindowBytesMax + 2 * 1024 * 1024;

/** What libzstd exports, as zstddec has compiled it. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  ZSTD_createDCtx(): number;
  /** 0 at the end of a frame whose content is out; a negative error; or how much it wants next. */
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

export interface ZstdStep {
  readonly output: Uint8Array;
  readonly isFrameEnd: boolean;
  /** There may be more output without more input. */
  readonly isFull: boolean;
}

/**
 * libzstd as WebAssembly, in a memory of its own, which holds the window of one frame at a time: as
 * large as the frame says. It checks checksums and sizes.
 */
export class ZstdEngine {
  readonly #exports: Exports;
  readonly #context: number;
  readonly #input: number;
  readonly #output: number;
  readonly #inputStruct: number;
  readonly #outputStruct: number;

  static async create(): Promise<ZstdEngine> {
    return new ZstdEngine(await zstdModule());
  }

  private constructor(module: WebAssembly.Module) {
    // Told before a window is written to.
    const onGrowth = (): void => {
      if (exports.memory.buffer.byteLength > MEMORY_BYTES_MAX) throw zstdFault(WINDOW_TOO_LARGE);
    };
    const imports = { env: { emscripten_notify_memory_growth: onGrowth } };
    const exports = new WebAssembly.Instance(module, imports).exports as unknown as Exports;
    this.#exports = exports;
    this.#context = exports.ZSTD_createDCtx();
    this.#input = exports.malloc(INPUT_BYTES);
    this.#output = exports.malloc(OUTPUT_BYTES);
    this.#inputStruct = exports.malloc(BUFFER_STRUCT_BYTES);
    this.#outputStruct = exports.malloc(BUFFER_STRUCT_BYTES);
    this.take(new Uint8Array(0));
  }

  /** Takes what there is room for, in place of what was taken before, and returns the rest. */
  take(input: Uint8Array): Uint8Array {
    const { buffer } = this.#exports.memory;
    const taken = input.subarray(0, INPUT_BYTES);
    new Uint8Array(buffer).set(taken, this.#input);
    setBuffer(new DataView(buffer), this.#inputStruct, this.#input, taken.length);
    return input.subarray(taken.length);
  }

  /** What was taken and not read, until the next step. */
  unread(): Uint8Array {
    const { buffer } = this.#exports.memory;
    const view = new DataView(buffer);
    const size = view.getUint32(this.#inputStruct + 4, true);
    const position = view.getUint32(this.#inputStruct + 8, true);
    return new Uint8Array(buffer, this.#input + position, size - position);
  }

  /** Reads on, to the end of a frame at the most. Throws `input-compression`. */
  step(): ZstdStep {
    const { memory } = this.#exports;
    setBuffer(new DataView(memory.buffer), this.#outputStruct, this.#output, OUTPUT_BYTES);
    const wanted = this.#exports.ZSTD_decompressStream(
      this.#context,
      this.#outputStruct,
      this.#inputStruct,
    );
    if (wanted < 0) throw zstdFault(-wanted);
    // Its memory may have grown, which is another buffer then.
    const { buffer } = memory;
    const outputBytes = new DataView(buffer).getUint32(this.#outputStruct + 8, true);
    return {
      output: new Uint8Array(buffer).slice(this.#output, this.#output + outputBytes),
      isFrameEnd: wanted === 0,
      isFull: wanted !== 0 && outputBytes === OUTPUT_BYTES,
    };
  }
}

function setBuffer(view: DataView, struct: number, address: number, bytes: number): void {
  view.setUint32(struct, address, true);
  view.setUint32(struct + 4, bytes, true);
  view.setUint32(struct + 8, 0, true);
}

let loading: Promise<WebAssembly.Module> | undefined;

/** Compiled when it is first needed. zstddec keeps one memory for all, of which we take none. */
function zstdModule(): Promise<WebAssembly.Module> {
  loading ??= import('zstddec/stream').then(
    ({ ZSTDDecoder }) =>
      new Promise((resolve, reject) => {
        const decoder = new ZSTDDecoder();
        decoder._init = ({ module }: { module: WebAssembly.Module }) => resolve(module);
        decoder.init().catch(reject);
      }),
  );
  return loading;
}

const WINDOW_TOO_LARGE = 16;

/** By libzstd's error codes (zstd_errors.h), which are stable. */
function zstdFault(code: number): SluiceError {
  const details = { compression: 'zstd', zstdErrorCode: code };
  return new SluiceError('input-compression', whatIsWrong(code), { details });
}

function whatIsWrong(code: number): string {
  switch (code) {
    case 10:
      return zstdDamage('other bytes stand where a frame should begin');
    case WINDOW_TOO_LARGE:
      return (
        `The zstd data needs a window of more than ${LIMITS.zstdWindowBytesMax / 1024 / 1024} MiB ` +
        'to be read. Compress it with --long=26 or less, or unpack it: zstd -dc --long=31 FILE ' +
        'writes it to a pipe.'
      );
    case 22:
      return zstdDamage('its content does not match its checksum');
    case 32:
      return (
        'The zstd data was compressed with a dictionary, which is not in it. Compress it without ' +
        'one (zstd without -D), or unpack it.'
      );
    case 64:
      return 'There is no memory to read the zstd data with. Unpack it, or try again later.';
    default:
      return zstdDamage(`libzstd finds its error ${code} in it`);
  }
}

export function zstdDamage(why: string): string {
  return `The zstd data is damaged or truncated: ${why}. Send the file again, or compress it anew.`;
}
