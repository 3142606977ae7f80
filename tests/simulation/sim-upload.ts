import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ingest } from '../../master/ingest/ingest-session.ts';
import { isFinal } from '../../master/coordination/job-state.ts';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import { Violation } from './invariants.ts';
import { newRecord } from './sim-job.ts';
import type { SimJob } from './sim-job.ts';
import type { SimMaster } from './sim-master.ts';
import type { World } from './world.ts';

/** A client tries again after so long, on the mean. */
const AGAIN_MS = 40;
/** Of the parts of a resumable upload. */
const CHECKED_SHARE = 0.25;
const CHECKED_BYTES_MAX = 120;
/** A connection that is dead is found out after so long. */
const SILENCE_MS = 3_000;

/** Sends the input in one request. Resolves when the client has its answer, or has gone away. */
export async function sendWhole(world: World, master: SimMaster, job: SimJob): Promise<void> {
  const { coordinator, process, store } = master;
  job.isUploading = true;
  process.onEnd(() => {
    job.isUploading = false;
  });
  // What is being deleted must not be taken for stored.
  await master.deletion;
  const hangUp = new AbortController();
  const gone = new SluiceError('input-truncated', 'the client went away');
  const body = new ClientBody(world, master, job, job.raw, () => {
    if (!job.isAbandoned) return false;
    hangUp.abort(gone);
    return true;
  });
  try {
    const request = { formatHint: null, profile: true, body, signal: hangUp.signal };
    await ingest(master, { job: coordinator.add(newRecord(job, world.clockMs())), ...request });
    await store.sync();
    job.told.add('received');
  } catch (thrown) {
    world.scheduler.note(`client of ${job.id} is told: ${toSluiceError(thrown).message}`);
  }
  job.isUploading = false;
}

/**
 * Sends the input as tus clients do: asks how far the upload is, and goes on from there, whatever
 * becomes of connections and masters, until it is complete or was given up.
 */
export function sendResumably(world: World, job: SimJob): void {
  job.isUploading = true;
  const again = (): void => {
    const delayMs = world.random.next() * 2 * AGAIN_MS;
    world.scheduler.after(delayMs, `client of ${job.id} goes on`, attempt);
  };
  const attempt = (): void => {
    if (job.isAbandoned) {
      job.isUploading = false;
      return;
    }
    const { master } = world;
    if (master === null || !master.isReady || !master.process.alive) {
      again();
      return;
    }
    let isOver = false;
    const next = (isDone: boolean): void => {
      if (isOver) return;
      isOver = true;
      if (isDone) job.isUploading = false;
      else again();
    };
    // A connection that is lost, with its master, is noticed.
    master.process.onEnd(() => next(false));
    goOn(world, master, job).then(next, (thrown: unknown) => {
      const { code, message } = toSluiceError(thrown);
      world.scheduler.note(`client of ${job.id} is told: ${message}`);
      next(code === 'upload-over' || code === 'upload-expired' || code === 'not-found');
    });
  };
  attempt();
}

/** Sends one part. Whether the upload is over. */
async function goOn(world: World, master: SimMaster, job: SimJob): Promise<boolean> {
  const { uploads, coordinator, store } = master;
  await master.deletion;
  if (!job.isCreated) {
    if (store.job(job.id) === null) {
      const activeAt = new Date(world.clockMs()).toISOString();
      const upload = { metadata: null, formatHint: null, durableBytes: 0, resumePoint: null };
      const record = newRecord(job, world.clockMs());
      const facts = { bytesTotal: job.raw.length, upload: { ...upload, activeAt } };
      coordinator.add({ ...record, facts: { ...record.facts, ...facts } });
    }
    await store.sync();
    job.isCreated = true;
  }
  const { receivedBytes: offset } = await uploads.status(job.id);
  if (offset < job.acknowledgedBytes) {
    const message = `${job.id}: ${job.acknowledgedBytes} bytes were acknowledged, ${offset} are left`;
    world.invariants.violation ??= new Violation(message);
  }
  if (offset === job.raw.length && world.stateOf(job)?.input === 'complete') return true;
  job.acknowledgedBytes = await sendPart(world, master, job, offset);
  if (job.acknowledgedBytes === job.raw.length) job.told.add('received');
  const state = world.stateOf(job);
  return state === undefined || state.input !== 'open' || isFinal(state);
}

async function sendPart(
  world: World,
  master: SimMaster,
  job: SimJob,
  offset: number,
): Promise<number> {
  const { random, faults } = world;
  const isChecked = random.chance(CHECKED_SHARE);
  const end = isChecked ? offset + random.between(1, CHECKED_BYTES_MAX) : job.raw.length;
  const bytes = job.raw.subarray(offset, end);
  const isWrong = random.chance(faults.cutUpload);
  const digest = createHash('sha1')
    .update(isWrong ? 'other' : bytes)
    .digest();
  const stop = new AbortController();
  const body = new ClientBody(world, master, job, bytes, () => {
    if (job.isAbandoned || random.chance(faults.cutUpload)) return true;
    // Nobody notices that the client is gone, until it comes again and asks for the upload.
    return random.chance(faults.cutUpload) ? 'silently' : false;
  });
  job.letGo?.();
  job.letGo = () => stop.abort(new SluiceError('upload-locked', 'another request asks for it'));
  const part = { offset, body, checksum: isChecked ? { algorithm: 'sha1', digest } : null };
  return await Promise.race([
    master.uploads.write(job.id, { ...part, signal: stop.signal }),
    body.silence,
  ]);
}

/** A request's body, which comes piece by piece, as it is read. */
class ClientBody extends Readable {
  /** Rejects when the client is gone and its connection is not. */
  readonly silence: Promise<never>;
  #fallSilent: (reason: Error) => void = () => undefined;
  readonly #world: World;
  readonly #master: SimMaster;
  readonly #job: SimJob;
  readonly #bytes: Buffer;
  readonly #isCut: () => boolean | 'silently';
  #at = 0;

  constructor(
    world: World,
    master: SimMaster,
    job: SimJob,
    bytes: Buffer,
    isCut: () => boolean | 'silently',
  ) {
    super({ highWaterMark: 64 });
    this.#world = world;
    this.#master = master;
    this.#job = job;
    this.#bytes = bytes;
    this.#isCut = isCut;
    this.silence = new Promise((_, reject) => {
      this.#fallSilent = reject;
    });
    this.silence.catch(() => undefined);
    // The connection may end when nobody listens to the body yet, or any more.
    this.on('error', () => undefined);
  }

  /** The client knows that its connection is dead; the system of the master finds it out later. */
  #goSilently(): void {
    const error = new Error('ETIMEDOUT');
    this.#fallSilent(error);
    this.#master.process.after(SILENCE_MS, 'loses a client', () => this.destroy(error));
  }

  override _read(): void {
    const { random } = this.#world;
    const delayMs = random.next() * this.#job.paceMs;
    this.#master.process.after(delayMs, `hears client of ${this.#job.id}`, () => {
      if (this.destroyed) return;
      const isCut = this.#isCut();
      if (isCut === true) this.destroy(new Error('ECONNRESET'));
      else if (isCut === 'silently') this.#goSilently();
      else if (this.#at >= this.#bytes.length) this.push(null);
      else {
        const end = this.#at + random.between(1, 100);
        this.push(this.#bytes.subarray(this.#at, end));
        this.#at = end;
      }
    });
  }
}
