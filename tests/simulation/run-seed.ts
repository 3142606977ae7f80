import { startChaos } from './chaos.ts';
import { isCalm } from './faults.ts';
import { Violation, check } from './invariants.ts';
import { checkCompleted, checkOutcome, mustComplete, readResult } from './outcome.ts';
import type { Random } from './random.ts';
import { lacksInput, unsent } from './sim-job.ts';
import type { SimJob } from './sim-job.ts';
import type { Wrappers } from './sim-master.ts';
import { CRASHES_WORKER, FAILS_LATER, FAILS_PROGRAM, pickInput, pickPlan } from './workload.ts';
import { World } from './world.ts';

export interface RunReport {
  readonly seed: number;
  /** What was broken first; null when every promise was kept. */
  readonly violation: string | null;
  readonly steps: number;
  /** Equal for equal runs. */
  readonly traceHash: number;
  /** The last lines of what happened. */
  readonly trace: readonly string[];
  /** How the jobs ended. */
  readonly statuses: readonly string[];
  /** Blobs that the garbage collector removed. */
  readonly collected: number;
}

/** Once everything works, all jobs are at their end within so much time and so many steps. */
const SETTLE_MS = 20 * 60_000;
const STEPS_MAX = 20_000;
const RETRIES_MAX = 6;

interface RunSize {
  readonly jobsMax: number;
  readonly recordsMax: number;
  /** Until then things go wrong. */
  readonly endMsMax: number;
}

/** Most runs are small: what can be broken breaks there too, and several of them cost what one did. */
const SMALL: RunSize = { jobsMax: 2, recordsMax: 14, endMsMax: 1_200 };
const LARGE: RunSize = { jobsMax: 4, recordsMax: 30, endMsMax: 2_500 };
const LARGE_SHARE = 0.06;

/** One run, decided by its seed alone. */
export async function runSeed(seed: number, wrappers: Wrappers = {}): Promise<RunReport> {
  const world = new World(seed, wrappers);
  let violation: string | null = null;
  try {
    await simulate(world);
  } catch (thrown) {
    if (!(thrown instanceof Violation)) throw thrown;
    violation = thrown.message;
  }
  const { steps, traceHash } = world.scheduler;
  const statuses = world.jobs.map((job) => world.stateOf(job)?.status ?? 'deleted');
  const trace = violation === null ? [] : world.scheduler.trace();
  world.close();
  const { collectedCount: collected } = world;
  return { seed, violation, steps, traceHash, trace, statuses, collected };
}

async function simulate(world: World): Promise<void> {
  const { random } = world;
  const size = random.chance(LARGE_SHARE) ? LARGE : SMALL;
  const endMs = random.between(200, size.endMsMax);
  world.start();
  submitJobs(world, size, endMs);
  // Where nothing goes wrong and nobody intervenes, every job completes at once.
  const calm = isCalm(world.faults);
  startChaos(world, endMs, !calm && random.chance(0.6));
  await runUntilSettled(world);
  if (calm) for (const job of world.jobs) checkCompleted(world, job);
  if (sendAgain(world)) await runUntilSettled(world);
  for (let retry = 0; retry < RETRIES_MAX; retry++) {
    // Whoever reads a damaged result is told of it, and so is everybody else from then on.
    for (const job of world.jobs) await during(world, readResult(world, job));
    if (!(await retryFailed(world))) break;
    await runUntilSettled(world);
  }
  for (const job of world.jobs) await during(world, checkOutcome(world, job));
}

/** Lets time pass until every job is at its end, and holds each step against the promises. */
async function runUntilSettled(world: World): Promise<void> {
  const { scheduler, invariants } = world;
  let deadlineMs = Infinity;
  const stepsMax = scheduler.steps + STEPS_MAX;
  for (;;) {
    if (world.isHealed && world.isSettled()) return;
    if (world.isHealed && deadlineMs === Infinity) deadlineMs = scheduler.nowMs + SETTLE_MS;
    const moved = await scheduler.step();
    if (invariants.violation !== null) throw invariants.violation;
    const inTime = moved && scheduler.nowMs < deadlineMs && scheduler.steps < stepsMax;
    if (!inTime) throw new Violation(`every job ends: ${describeJobs(world)}`);
  }
}

/** Lets the world go on until the work has come to its end. */
async function during<T>(world: World, work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => undefined);
  while (!isOver) {
    const moved = await world.scheduler.step();
    check(moved, 'somebody waits for what never comes');
  }
  return await over;
}

/** Retries what can be repaired, by its input first where that is damaged. False when there is nothing. */
async function retryFailed(world: World): Promise<boolean> {
  const repairable = world.jobs.filter(
    (job) => mustComplete(world, job) && world.stateOf(job)?.status !== 'completed',
  );
  const damaged = repairable.filter((job) => lacksInput(world.store, job.id));
  for (const job of damaged) world.sendAgain(job);
  if (damaged.length > 0) await runUntilSettled(world);
  const { master } = world;
  check(master !== null, 'there is a master');
  for (const job of repairable) {
    try {
      await during(world, master.service.retry(job.id));
    } catch {
      throw new Violation(`${job.name} can be retried: ${describeJobs(world)}`);
    }
  }
  return repairable.length > 0;
}

/** The clients whose uploads were cut send them again. False when there are none. */
function sendAgain(world: World): boolean {
  // One whose creation was lost with the power has no state.
  const cut = world.jobs.filter(
    (job) => (world.stateOf(job)?.input ?? 'failed') === 'failed' && !job.told.has('deleted'),
  );
  for (const job of cut) world.sendAgain(job);
  return cut.length > 0;
}

function submitJobs(world: World, { jobsMax, recordsMax }: RunSize, endMs: number): void {
  const { random } = world;
  const count = random.between(1, jobsMax);
  for (let at = 0; at < count; at++) {
    // The same input again, under the same plan or another one.
    const earlier = at > 0 && random.chance(0.4) ? random.pick(world.jobs) : null;
    const poison = earlier === null ? pickPoison(random) : [];
    const input = earlier?.input ?? pickInput(random, recordsMax, poison);
    const name = `job${at}`;
    const isResumable = random.chance(0.5);
    const job: SimJob = {
      ...{ name, isResumable, key: isResumable || random.chance(0.5) ? name : null },
      plan: earlier !== null && random.chance(0.7) ? earlier.plan : pickPlan(random),
      ...{ input, raw: random.chance(0.25) ? inUtf16(input.bytes) : input.bytes },
      isPoisoned: earlier?.isPoisoned ?? poison.length > 0,
      paceMs: random.pick([0, 5, 30]),
      ...unsent(),
    };
    world.submit(job, random.next() * endMs * 0.8);
  }
}

/** As programs of Windows write it: it has to be decoded, and be kept until it is complete. */
function inUtf16(text: Buffer): Buffer {
  return Buffer.from(`\ufeff${text.toString()}`, 'utf16le');
}

function pickPoison(random: Random): string[] {
  if (!random.chance(0.08)) return [];
  return [random.pick([CRASHES_WORKER, FAILS_PROGRAM, FAILS_LATER])];
}

function describeJobs(world: World): string {
  return world.jobs
    .map((job) => {
      const state = world.stateOf(job);
      if (state === undefined) return `${job.name} ${job.isUploading ? 'unsent' : 'deleted'}`;
      const { status, watermark, chunkCount, running, waiting, input, error } = state;
      const list = (attempts: typeof running) =>
        attempts.map(({ index, attempt }) => `${index}.${attempt}`).join(' ');
      return (
        `${job.name} ${status}, input ${input}, ${watermark} of ${chunkCount} merged, ` +
        `running [${list(running)}], waiting [${list(waiting)}]` +
        (error === null ? '' : `, ${error.code}: ${error.message}`)
      );
    })
    .join('; ');
}
