import type { Readable } from 'node:stream';

/** Memory for so many bytes, or more. */
export type Room = (byteCount: number) => Uint8Array;

/** The bytes of an object in order; asked for one after another where they do not fit the memory. */
export type BlobParts = readonly Uint8Array[] | AsyncIterable<Uint8Array>;

/**
 * Durable objects under names such as `chunks/<sha256>`, `results/<taskKey>`, `contexts/<contextKey>`
 * and `outputs/<jobId>/profile.json`. A name is 1 to 3 segments of [A-Za-z0-9._-].
 *
 * `put` is put-if-absent: it resolves when the object is durable (temporary name, fsync, rename),
 * and renews it when the name is taken (see `CollectableBlobStore`). Errors: `blob-missing`, `blob-corrupt`, `disk-full`,
 * `storage-failed`.
 */
export interface BlobStore {
  put(name: string, parts: BlobParts): Promise<{ readonly created: boolean }>;
  /**
   * Whole object. For `chunks/<sha256>` and `lookups/<sha256>` the bytes are verified against the
   * name. They lie in what `room` gives for their number, where the store can read into it; else in memory of their own.
   */
  get(name: string, room?: Room): Promise<Uint8Array>;
  /** Bytes `[start, end)` of the object; in what `room` gives, as above. */
  getRange(name: string, start: number, end: number, room?: Room): Promise<Uint8Array>;
  /** The same as a stream, with backpressure. */
  stream(name: string, start: number, end: number): Readable;
  /**
   * The same in pieces that lie in what `room` gives, each lent until the next is asked for: for a
   * reader who writes them away. Left out where the store cannot read into memory.
   */
  lend?(name: string, start: number, end: number, room: Room): AsyncIterable<Uint8Array>;
  has(name: string): Promise<boolean>;
  delete(name: string): Promise<void>;
  /** Names under a prefix, in no order. */
  list(prefix: string): AsyncIterable<string>;
}

/**
 * A store that garbage is collected from. Each object has a version, which changes with every `put`
 * and `renew`: an object whose version stays the same for long is about to be used by nobody.
 */
export interface CollectableBlobStore extends BlobStore {
  /** Says that the object is wanted, as a `put` does. False when there is none. */
  renew(name: string): Promise<boolean>;
  /** Null when there is no such object. */
  version(name: string): Promise<string | null>;
  /** Deletes the object if it still has the version. Returns whether it did. */
  deleteUnchanged(name: string, version: string): Promise<boolean>;
}

/** Bytes of a file, mostly of one outside the store. */
export interface FileSlice {
  /** Absolute. */
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** That of the file (`settledVersion`) before the bytes were hashed: while it has it they need not
   *  be hashed again. Null where only their hash tells whether they are the same. */
  readonly version: string | null;
}

/** A store that inputs are read into, by a thread that does nothing else. */
export interface IngestBlobStore extends CollectableBlobStore {
  /** False when nobody reads it after this run. */
  readonly isDurable: boolean;
  /** As `put`, of bytes that are the caller's again when the call returns its promise. */
  putNow(name: string, bytes: Uint8Array): Promise<{ readonly created: boolean }>;
  /** Makes bytes of a file a chunk, without a copy: for a store that is not durable, and `get`. */
  referNow(name: string, slice: FileSlice): void;
}
