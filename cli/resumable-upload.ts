import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../pipeline/errors.ts';
import type { Job, StoredLookup } from '../pipeline/protocol/index.ts';
import { call, callJson, type Server } from './api-client.ts';
import type { Submission } from './job-runner.ts';
import type { LookupSource } from './lookup-source.ts';
import { uploadParts, type UploadPart } from './upload-parts.ts';

const TUS = { 'tus-resumable': '1.0.0' } as const;
/** Between tries; the last one goes on until `GIVE_UP_MS` without any byte accepted. */
const RETRY_MS = [250, 500, 1_000, 2_000, 5_000];
const GIVE_UP_MS = 10 * 60 * 1000;

/**
 * Uploads an input by the tus protocol: when the connection is cut or the server restarts, goes on
 * at the offset that the server has. Gives the job once the server has all of it. The creation is
 * not tried again: a wrong address is told at once.
 *
 * Made of `fetch` alone: the API's other calls, with their tokens and problem documents, are made
 * the same way, and standard input needs parts that are held until they are acknowledged.
 */
export async function uploadResumable(
  server: Server,
  submission: Submission,
  signal: AbortSignal,
): Promise<Job> {
  const { input, plan } = submission;
  const size = input.path === null ? null : input.bytesTotal;
  const lookups = await sendLookups(server, submission.lookups, signal);
  const asked = { name: input.name, plan, lookups, ...(size === null ? {} : { size }) };
  const job = await callJson<Job>(server, '/api/jobs', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    // Without the signal: a job that was created is to be known, so that it can be given up.
    body: Readable.from([Buffer.from(JSON.stringify(asked))]),
  });
  const upload = new Upload(server, job.id, submission, signal);
  try {
    for await (const part of uploadParts(input, signal)) await upload.send(part);
    return await callJson<Job>(server, `/api/jobs/${job.id}`);
  } catch (error) {
    await upload.giveUp();
    signal.throwIfAborted();
    throw error;
  }
}

async function sendLookups(
  server: Server,
  lookups: readonly LookupSource[],
  signal: AbortSignal,
): Promise<string[]> {
  const named: string[] = [];
  for (const { name, path } of lookups) {
    const { key } = await callJson<StoredLookup>(
      server,
      `/api/lookups?name=${encodeURIComponent(name)}`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: createReadStream(path),
        signal,
      },
    );
    named.push(`${name}=${key}`);
  }
  return named;
}

class Upload {
  readonly #server: Server;
  readonly #jobId: string;
  readonly #submission: Submission;
  readonly #signal: AbortSignal;
  #offset = 0;
  /** As the server knows it; null until it was asked, and while it was not told. */
  #bytesTotal: number | null = null;

  constructor(server: Server, jobId: string, submission: Submission, signal: AbortSignal) {
    this.#server = server;
    this.#jobId = jobId;
    this.#submission = submission;
    this.#signal = signal;
  }

  /** Resolves when the server has the whole part. */
  async send(part: UploadPart): Promise<void> {
    let failures = 0;
    let progressMs = Date.now();
    for (;;) {
      const before = this.#offset;
      try {
        if (failures > 0) await this.#ask(part);
        if (failures === 0 || !this.#isSent(part)) await this.#patch(part);
        if (failures > 0) this.#submission.onStall(null);
        return;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!mayPass(error)) throw error;
        if (this.#offset > before) progressMs = Date.now();
        if (Date.now() - progressMs > GIVE_UP_MS) throw error;
        if (failures === 0) this.#submission.onStall(error);
        await sleep(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)], null, {
          signal: this.#signal,
        });
        failures += 1;
      }
    }
  }

  /** Leaves nothing behind that would wait for this client. */
  async giveUp(): Promise<void> {
    await call(this.#server, this.#path, { method: 'DELETE', headers: TUS }).catch(() => undefined);
  }

  get #path(): string {
    return `/api/uploads/${this.#jobId}`;
  }

  #isSent({ start, bytes, bytesTotal }: UploadPart): boolean {
    if (this.#offset === this.#bytesTotal) return true;
    // A part that tells the length has to be sent again, were it empty: nobody else tells it.
    return bytes !== null && bytesTotal === null && this.#offset >= start + bytes;
  }

  async #patch(part: UploadPart): Promise<void> {
    let sent = this.#offset;
    const counter = new Transform({
      transform: (buffer: Buffer, _encoding, done) => {
        sent += buffer.length;
        this.#submission.onBytes(sent);
        done(null, buffer);
      },
    });
    const source = part.open(this.#offset);
    source.on('error', (error) => counter.destroy(error));
    const { bytesTotal } = part;
    const answer = await call(this.#server, this.#path, {
      method: 'PATCH',
      headers: {
        ...TUS,
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(this.#offset),
        ...(bytesTotal === null || this.#bytesTotal !== null
          ? {}
          : { 'upload-length': String(bytesTotal) }),
      },
      body: source.pipe(counter),
      signal: this.#signal,
    }).finally(() => source.destroy());
    this.#offset = Number(answer.headers.get('upload-offset'));
  }

  /** Asks where to go on. When the upload is over, its job says why. */
  async #ask(part: UploadPart): Promise<void> {
    const request = { method: 'HEAD', headers: TUS, signal: this.#signal } as const;
    try {
      const answer = await call(this.#server, this.#path, request);
      const length = answer.headers.get('upload-length');
      this.#bytesTotal = length === null ? null : Number(length);
      this.#offset = Math.max(part.start, Number(answer.headers.get('upload-offset')));
      this.#submission.onBytes(this.#offset);
    } catch (error) {
      const job = await callJson<Job>(this.#server, `/api/jobs/${this.#jobId}`);
      if (job.error !== null) {
        const { code, message, details } = job.error;
        throw new SluiceError(code as SluiceError['code'], message, { details });
      }
      throw error;
    }
  }
}

/** Whether the same request may succeed later, or at another offset. */
function mayPass(error: unknown): boolean {
  return error instanceof SluiceError && (error.retryable || error.code === 'conflict');
}
