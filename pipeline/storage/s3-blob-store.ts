// eslint-disable-next-line no-restricted-syntax -- an adapter: no decision depends on the ids
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
// eslint-disable-next-line no-restricted-imports -- an adapter: it waits for a server
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { SluiceError, invariant } from '../errors.ts';
import { assertBlobName } from './blob-name.ts';
import type { BlobParts, IngestBlobStore } from './blob-store.ts';
import type { S3Location } from './s3-location.ts';

/** The SDK's tries of a request that was not answered, or with 5xx or 429; its pauses double. */
const REQUEST_TRIES = 6;
/** Tries of an answer that was cut: the SDK does not repeat those. */
const BODY_TRIES = 5;
const BODY_PAUSE_MS = 100;
/** S3 takes 10,000 parts of 5 MiB or more: so many bytes make objects of up to 160 GB. */
const PART_BYTES = 16 * 1024 * 1024;
/** A stream is read by ranges of so many bytes, so that one that is cut is continued. */
const STREAM_RANGE_BYTES = 4 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;
/** An object of 64 MiB at 1 MiB a second. */
const REQUEST_TIMEOUT_MS = 64_000;

/**
 * Blobs as objects `<prefix><name>` of an S3-compatible store. An object is visible when it is whole,
 * and a put sends its sha256, which the server checks. A name that is taken is left: by a look
 * before, and by `If-None-Match` where the server knows it; equal names hold equal bytes anyway.
 * A version is kept in an object's metadata: S3 tells the time of a change in seconds only.
 */
export class S3BlobStore implements IngestBlobStore {
  readonly isDurable = true;
  readonly #location: S3Location;
  readonly #client: S3Client;

  constructor(location: S3Location) {
    const { endpoint, region, pathStyle } = location;
    this.#location = location;
    this.#client = new S3Client({
      region,
      forcePathStyle: pathStyle,
      maxAttempts: REQUEST_TRIES,
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
      // Ours is sha256; servers that are not Amazon's do not all know the SDK's own.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint === null ? {} : { endpoint }),
    });
  }

  async put(name: string, parts: BlobParts): Promise<{ readonly created: boolean }> {
    if (await this.renew(name)) return { created: false };
    if (!(Symbol.asyncIterator in parts)) return await this.#putWhole(name, Buffer.concat(parts));
    await this.#guard(name, () => this.#putInParts(name, parts));
    return { created: true };
  }

  async #putWhole(name: string, body: Buffer): Promise<{ readonly created: boolean }> {
    const put = new PutObjectCommand({
      ...this.#object(name),
      Body: body,
      ContentLength: body.length,
      ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
      IfNoneMatch: '*',
      Metadata: newVersion(),
    });
    return await this.#guard(name, async () => {
      try {
        await this.#client.send(put);
        return { created: true };
      } catch (thrown) {
        // Another one wrote the same just now.
        if (statusOf(thrown) === 412) return { created: false };
        throw thrown;
      }
    });
  }

  /** As `put`, of bytes that are the caller's again when the call returns its promise. */
  async putNow(name: string, bytes: Uint8Array): Promise<{ readonly created: boolean }> {
    return await this.put(name, [Buffer.from(bytes)]);
  }

  referNow(): void {
    invariant(false, 'a durable store holds its chunks itself');
  }

  async get(name: string): Promise<Uint8Array> {
    const bytes = await this.#read(name, undefined);
    if (/^(chunks|lookups)\//.test(name)) verifyHash(name, bytes);
    return bytes;
  }

  async getRange(name: string, start: number, end: number): Promise<Uint8Array> {
    if (end <= start) return new Uint8Array();
    return await this.#read(name, `bytes=${start}-${end - 1}`);
  }

  stream(name: string, start: number, end: number): Readable {
    return Readable.from(this.#ranges(name, start, end), { objectMode: false });
  }

  async has(name: string): Promise<boolean> {
    return (await this.version(name)) !== null;
  }

  async delete(name: string): Promise<void> {
    await this.#guard(name, () => this.#client.send(new DeleteObjectCommand(this.#object(name))));
  }

  async *list(prefix: string): AsyncIterable<string> {
    const { bucket, prefix: folder } = this.#location;
    const whole = `${folder}${prefix}`;
    for (let token: string | undefined; ;) {
      const list = new ListObjectsV2Command({
        ...{ Bucket: bucket, Prefix: whole },
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await this.#guard(prefix, () => this.#client.send(list));
      for (const { Key } of page.Contents ?? [])
        if (Key !== undefined) yield Key.slice(folder.length);
      token = page.NextContinuationToken;
      if (page.IsTruncated !== true || token === undefined) return;
    }
  }

  async renew(name: string): Promise<boolean> {
    const { bucket, prefix } = this.#location;
    assertBlobName(name);
    const copy = new CopyObjectCommand({
      ...this.#object(name),
      CopySource: `${bucket}/${prefix}${name}`,
      // A copy onto itself is allowed where it changes something.
      MetadataDirective: 'REPLACE',
      Metadata: newVersion(),
    });
    return (await this.#unlessMissing(name, () => this.#client.send(copy))) !== null;
  }

  async version(name: string): Promise<string | null> {
    const head = new HeadObjectCommand(this.#object(name));
    const answer = await this.#unlessMissing(name, () => this.#client.send(head));
    if (answer === null) return null;
    return answer.Metadata?.[VERSION] ?? String(answer.LastModified?.getTime() ?? 0);
  }

  /** A renewal between the look and the deletion is lost: S3 has no deletion on such a condition. */
  async deleteUnchanged(name: string, version: string): Promise<boolean> {
    if ((await this.version(name)) !== version) return false;
    await this.delete(name);
    return true;
  }

  /** An object that does not fit the memory: visible when its last part is there. */
  async #putInParts(name: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    const object = this.#object(name);
    const create = new CreateMultipartUploadCommand({ ...object, Metadata: newVersion() });
    const { UploadId } = await this.#client.send(create);
    const done: { ETag: string | undefined; PartNumber: number }[] = [];
    try {
      for await (const Body of inPieces(parts, PART_BYTES)) {
        const PartNumber = done.length + 1;
        const part = { ...object, UploadId, PartNumber, Body, ContentLength: Body.length };
        const { ETag } = await this.#client.send(new UploadPartCommand(part));
        done.push({ ETag, PartNumber });
      }
      const MultipartUpload = { Parts: done };
      const complete = { ...object, UploadId, MultipartUpload };
      await this.#client.send(new CompleteMultipartUploadCommand(complete));
    } catch (thrown) {
      // What is left of it is also removed by a rule of the bucket, if it has one.
      const abort = new AbortMultipartUploadCommand({ ...object, UploadId });
      await this.#client.send(abort).catch(() => undefined);
      throw thrown;
    }
  }

  async *#ranges(name: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; at += STREAM_RANGE_BYTES) {
      const to = Math.min(end, at + STREAM_RANGE_BYTES);
      const bytes = await this.getRange(name, at, to);
      yield bytes;
      if (bytes.length < to - at) return;
    }
  }

  async #read(name: string, range: string | undefined): Promise<Uint8Array> {
    const object = { ...this.#object(name), ...(range === undefined ? {} : { Range: range }) };
    for (let tries = 1; ; tries++) {
      let hasAnswered = false;
      try {
        const answer = await this.#client.send(new GetObjectCommand(object));
        hasAnswered = true;
        return (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
      } catch (thrown) {
        // The range begins after the object's end.
        if (statusOf(thrown) === 416) return new Uint8Array();
        if (!hasAnswered || tries === BODY_TRIES) throw storeError(name, this.#location, thrown);
        await sleep(BODY_PAUSE_MS * 2 ** tries);
      }
    }
  }

  #object(name: string): { Bucket: string; Key: string } {
    assertBlobName(name);
    return { Bucket: this.#location.bucket, Key: `${this.#location.prefix}${name}` };
  }

  async #unlessMissing<T>(name: string, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (thrown) {
      if (statusOf(thrown) === 404) return null;
      throw storeError(name, this.#location, thrown);
    }
  }

  async #guard<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw storeError(name, this.#location, thrown);
    }
  }
}

const VERSION = 'sluice-version';

function newVersion(): Record<string, string> {
  return { [VERSION]: randomUUID() };
}

/** The same bytes in pieces of one size; the last may be shorter. At least one piece. */
async function* inPieces(
  parts: AsyncIterable<Uint8Array>,
  pieceBytes: number,
): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let isFirst = true;
  for await (const part of parts) {
    waiting.push(part);
    bytes += part.length;
    if (bytes < pieceBytes) continue;
    const whole = Buffer.concat(waiting);
    let at = 0;
    for (; whole.length - at >= pieceBytes; at += pieceBytes) {
      yield whole.subarray(at, at + pieceBytes);
      isFirst = false;
    }
    waiting = [whole.subarray(at)];
    bytes = whole.length - at;
  }
  if (bytes > 0 || isFirst) yield Buffer.concat(waiting);
}

function verifyHash(name: string, bytes: Uint8Array): void {
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (name.endsWith(`/${digest}`)) return;
  throw new SluiceError('blob-corrupt', `${name} does not match its hash`, {
    details: { name, digest, bytes: bytes.length },
  });
}

function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { $metadata } = thrown as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}

function storeError(name: string, location: S3Location, thrown: unknown): SluiceError {
  const { bucket, endpoint } = location;
  const details = { name, bucket, endpoint };
  const status = statusOf(thrown);
  const reason = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  if (status === 404 && !reason.startsWith('NoSuchBucket')) {
    return new SluiceError('blob-missing', `${name} is not in the store`, { details });
  }
  const where = `s3://${bucket}${endpoint === null ? '' : ` at ${endpoint}`}`;
  const hint =
    status === 401 || status === 403
      ? '; check the credentials and what they may do: get, put, delete, list'
      : '';
  const message = `${name}: ${where} answers ${status ?? 'nothing'}: ${reason}${hint}`;
  return new SluiceError('storage-failed', message, { details, cause: thrown });
}
