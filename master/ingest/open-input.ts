import type { Transform } from 'node:stream';
import { Readable, pipeline } from 'node:stream';
import { compressionByMagic, detectCompression } from '../../pipeline/dialect/compression.ts';
import type { Compression, UnmarkedCompression } from '../../pipeline/dialect/compression.ts';
import { refuseMarkup } from '../../pipeline/dialect/binary-formats.ts';
import { createDecompressor } from '../../pipeline/dialect/decompressor.ts';
import { detectEncoding } from '../../pipeline/dialect/encoding.ts';
import type { ReadOptions } from '../../pipeline/dialect/read-options.ts';
import { sniffInput } from '../../pipeline/dialect/sniff.ts';
import type { Sniffed } from '../../pipeline/dialect/sniff.ts';
import { Transcoder } from '../../pipeline/dialect/transcoder.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { detectFormat, detectSoundFormat } from '../../pipeline/json/format.ts';
import { JsonToNdjson } from '../../pipeline/json/json-to-ndjson.ts';
import { sniffNdjson } from '../../pipeline/json/sniff-ndjson.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { InputDescription } from '../../pipeline/protocol/index.ts';
import { PeekableSource } from './peekable-source.ts';

export interface OpenedInput {
  readonly sniffed: Sniffed;
  /** The whole input as UTF-8 text without BOM: delimited text, or one JSON value a line. */
  readonly text: AsyncIterable<Uint8Array>;
  /** Where `text` is the unchanged rest of the raw input: from where on, and for other readers. */
  readonly raw: RawText | null;
}

export interface RawText {
  /** Offset of the text in the raw input: behind the byte-order mark. */
  readonly textStart: number;
  /** The text as far as it was read; the body goes on behind it. In place of `text`. */
  ahead(): Uint8Array;
}

/** Decompresses, decodes and sniffs an input. Reads no further than the sample it needs. */
export async function openInput(
  body: AsyncIterable<Uint8Array>,
  read: ReadOptions,
  formatHint: InputDescription['format'] | null,
  compressionHint: UnmarkedCompression | null = null,
): Promise<OpenedInput> {
  const raw = new PeekableSource(body);
  const magic = await raw.peek(LIMITS.magicBytesMax);
  if (magic.complete && magic.sample.length === 0) {
    throw new SluiceError('empty-input', 'the input has no bytes');
  }
  const compression = detectCompression(magic.sample, read.compression, compressionHint);
  const bytes = new PeekableSource(decompress(raw, compression));
  const head = await bytes.peek(LIMITS.sniffBytesMax);
  refuseTwice(compression, head.sample);
  const encoding = detectEncoding(head.sample, head.complete, read.encoding);
  const text = new PeekableSource(transcode(bytes, encoding.encoding));
  const sample = await text.peek(LIMITS.sniffBytesMax);
  const format = chooseFormat(sample, read, formatHint);
  const converter = format === 'json' ? new JsonToNdjson() : null;
  const input = converter === null ? text : new PeekableSource(through(text, converter));
  const start = format === 'json' ? await input.peek(LIMITS.sniffBytesMax) : sample;
  const sniffed =
    format === 'csv'
      ? sniffInput(start.sample, start.complete, { ...read, format })
      : sniffNdjson(start.sample, start.complete, { ...read, format });
  const described: InputDescription = {
    ...sniffed.input,
    format,
    encoding: encoding.encoding,
    compression,
  };
  const told = converter === null ? [] : converter.warnings;
  const ofFormat = formatWarnings(format, read, formatHint);
  const warnings = [...encoding.warnings, ...ofFormat, ...told, ...sniffed.warnings];
  const isRaw = compression === 'none' && encoding.encoding === 'utf-8' && format !== 'json';
  return {
    sniffed: { ...sniffed, input: described, warnings },
    text: input,
    raw: isRaw ? { textStart: markBytes(head.sample), ahead: () => text.takeAhead() } : null,
  };
}

function chooseFormat(
  { sample, complete }: { sample: Uint8Array; complete: boolean },
  read: ReadOptions,
  formatHint: InputDescription['format'] | null,
): InputDescription['format'] {
  if (read.format !== 'auto') return read.format;
  refuseMarkup(sample);
  // A Content-Type may be wrong, curl sends one by default; so may be a name.
  return formatHint === 'csv'
    ? detectSoundFormat(sample, complete)
    : detectFormat(sample, complete);
}

/** What is compressed twice is text to nobody. */
function refuseTwice(compression: Compression, head: Uint8Array): void {
  const inner = compression === 'none' ? 'none' : compressionByMagic(head);
  if (inner === 'none') return;
  const message = `Inside the ${compression} data is ${inner} data. Unpack it once and upload that.`;
  throw new SluiceError('input-compression', message, { details: { compression, inner } });
}

function formatWarnings(
  format: InputDescription['format'],
  read: ReadOptions,
  formatHint: InputDescription['format'] | null,
): string[] {
  if (format === 'csv' || formatHint !== 'csv' || read.format !== 'auto') return [];
  const name = format === 'json' ? 'JSON' : 'NDJSON';
  return [
    `The input was called CSV by its type or name and is read as ${name}, which it holds. ` +
      'State read.format: csv to read it as delimited text.',
  ];
}

function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncIterable<Uint8Array> {
  return compression === 'none' ? source : through(source, createDecompressor(compression));
}

async function* transcode(
  source: AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncIterable<Uint8Array> {
  const transcoder = new Transcoder(encoding);
  for await (const bytes of source) {
    const text = transcoder.push(bytes);
    if (text.length > 0) yield text;
  }
  const rest = transcoder.finish();
  if (rest.length > 0) yield rest;
}

/** The source through a transform; an error of either ends the other, and is thrown to the reader. */
function through(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncIterable<Uint8Array> {
  const readable = Readable.from(source, { objectMode: false });
  pipeline(readable, transform, () => undefined);
  return transform;
}

/** Length of the byte-order mark that the transcoder drops. */
function markBytes(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}
