import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { isFinal } from '../../master/coordination/job-state.ts';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import { Violation } from './invariants.ts';
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

/**
 * Sends the input in one request: once, or under its key until the answer has come that it is there.
 * `again` lets the client try again in a while.
 */
export function sendWhole(world: World, master: SimMaster, job: SimJob, again: () => void): void {
  let isOver = false;
  const next = (mayHelp: boolean): void => {
    if (isOver) return;
    isOver = true;
    if (mayHelp && job.key !== null && !job.isAbandoned) again();
    else job.isUploading = false;
  };
  master.process.onEnd(() => next(true));
  sendBody(world, master, job).then(
    () => next(false),
    (thrown: unknown) => {
      const { code, kind, message } = toSluiceError(thrown);
      world.scheduler.note(`client of ${job.name} is told: ${message}`);
      next(kind === 'operational' || code === 'input-truncated' || code === 'conflict');
    },
  );
}

async function sendBody(world: World, master: SimMaster, job: SimJob): Promise<void> {
  const hangUp = new AbortController();
  const gone = new SluiceError('input-truncated', 'the client went away');
  const { random, faults } = world;
  const body = new ClientBody(world, master, job, job.raw, () => {
    const mayBeCut = job.key !== null && random.chance(faults.cutUpload);
    if (mayBeCut && random.chance(0.5)) return 'silently';
    if (!job.isAbandoned && !mayBeCut) return false;
    hangUp.abort(gone);
    return true;
  });
  const request = { ...requestOf(job), bytesTotal: null };
  const { status, error } = await Promise.race([
    master.service.receive(request, body, hangUp.signal),
    body.silence,
  ]);
  const isCutOff = error?.code === 'input-truncated';
  if (isCutOff) world.broken(`${job.name} has its input, as its client is told, and lacks it`);
  // The answer to one that is sent again may be what became of it meanwhile.
  if (status !== 'cancelled' && status !== 'failed') job.told.add('received');
}

function requestOf({ name, plan, key }: SimJob) {
  return { name: `${name}.csv`, plan: plan.text, formatHint: null, idempotencyKey: key };
}

/**
 * Sends the input as tus clients do: asks how far the upload is, and goes on from there, whatever
 * becomes of connections and masters, until it is complete or was given up.
 */
export function sendResumably(world: World, job: SimJob): void {
  job.isUploading = true;
  const again = (): void => {
    const delayMs = world.random.next() * 2 * AGAIN_MS;
    world.scheduler.after(delayMs, `client of ${job.name} goes on`, attempt);
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
      world.scheduler.note(`client of ${job.name} is told: ${message}`);
      next(code === 'upload-over' || code === 'upload-expired' || code === 'not-found');
    });
  };
  attempt();
}

/** Sends one part. Whether the upload is over. */
async function goOn(world: World, master: SimMaster, job: SimJob): Promise<boolean> {
  const uploads = master.service.resumable;
  if (!job.isCreated) {
    const request = { ...requestOf(job), bytesTotal: job.raw.length, metadata: null };
    await uploads.create(request);
    job.isCreated = true;
  }
  const { receivedBytes: offset } = await uploads.status(job.id);
  if (offset < job.acknowledgedBytes) {
    const message = `${job.name}: ${job.acknowledgedBytes} bytes were acknowledged, ${offset} are left`;
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
    master.service.resumable.write(job.id, { ...part, signal: stop.signal }),
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
    this.#master.process.after(delayMs, `hears client of ${this.#job.name}`, () => {
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
