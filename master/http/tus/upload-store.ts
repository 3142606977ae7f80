import { DataStore, Upload } from '@tus/server';
import type { Readable } from 'node:stream';
import type { CreateUpload, PartChecksum, ResumableUploads } from '../../service.ts';

export const TUS_EXTENSIONS = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'termination',
  'expiration',
  'checksum',
];

export interface StoreRequest {
  readonly uploads: ResumableUploads;
  /** What a new upload is to be: from the request's headers and the metadata. */
  readonly describe: (upload: Upload) => CreateUpload;
  readonly body: Readable;
  /** Of the body. */
  readonly checksum: PartChecksum | null;
  /** Fires when the request has to let go of its upload. */
  readonly signal: AbortSignal;
}

/** The store that @tus/server speaks to, for one request: uploads are the inputs of jobs. */
export class UploadStore extends DataStore {
  override extensions = TUS_EXTENSIONS;
  readonly #request: StoreRequest;
  /** Why a part was refused: the library may know no more than that its stream broke. */
  failure: unknown = null;
  #writing: Promise<unknown> = Promise.resolve();
  /** A repeated creation found the upload, with more bytes than none. */
  #isRepeated = false;

  constructor(request: StoreRequest) {
    super();
    this.#request = request;
  }

  override async create(upload: Upload): Promise<Upload> {
    const { uploads, describe } = this.#request;
    const metadata = upload.metadata ?? {};
    const jobId = metadata['jobId'] ?? null;
    if (jobId === null) upload.id = (await uploads.create(describe(upload))).id;
    else {
      upload.id = jobId;
      if (upload.size !== undefined) await uploads.declareBytes(jobId, upload.size);
    }
    upload.offset = (await uploads.status(upload.id)).receivedBytes;
    this.#isRepeated = upload.offset > 0;
    return upload;
  }

  override async getUpload(id: string): Promise<Upload> {
    const { receivedBytes, bytesTotal, metadata, activeAt } =
      await this.#request.uploads.status(id);
    return new Upload({
      id,
      offset: receivedBytes,
      ...(bytesTotal === null ? {} : { size: bytesTotal }),
      ...(metadata === null ? {} : { metadata: { ...metadata } }),
      // The library counts the expiration from here: from the last sign of life.
      ...(activeAt === null ? {} : { creation_date: activeAt }),
    });
  }

  override async declareUploadLength(id: string, bytesTotal: number): Promise<void> {
    await this.#request.uploads.declareBytes(id, bytesTotal);
  }

  /**
   * Takes the request's body. The library would hand it on through a web stream and two more, which costs
   * as much as all else that a server does with an upload; what it gives is empty.
   */
  override async write(empty: Readable, id: string, offset: number): Promise<number> {
    empty.resume();
    // The answer's Upload-Offset tells the client to go on behind what came with the first request.
    if (this.#isRepeated) return offset;
    const { uploads, body, checksum, signal } = this.#request;
    const written = uploads.write(id, { offset, body, checksum, signal });
    this.#writing = written.catch((thrown: unknown) => {
      this.failure = thrown;
    });
    return await written;
  }

  /** Resolves when nothing of the request's part is being written any more. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  override async remove(id: string): Promise<void> {
    await this.#request.uploads.terminate(id);
  }

  override getExpiration(): number {
    return this.#request.uploads.expiryMs;
  }
}
