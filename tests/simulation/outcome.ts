import type { Readable } from 'node:stream';
import { Assemblies } from '../../master/aggregator/assemblies.ts';
import { byWave, jobTotals, waveOf } from '../../master/coordination/waves.ts';
import { comparesKeys } from '../../master/storage/job-record.ts';
import { isAccountedFor } from '../../master/views/account.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import type { Profile } from '../../pipeline/protocol/index.ts';
import { isDamaged, ZERO_STATISTICS } from '../../master/coordination/job-state.ts';
import { toSluiceError } from '../../pipeline/errors.ts';
import { Violation, check } from './invariants.ts';
import type { SimJob } from './sim-job.ts';
import { expectedWithout, failsOn } from './workload.ts';
import type { World } from './world.ts';

/** Whether the job must come to `completed` once faults have stopped and it was retried. */
export function mustComplete(world: World, job: SimJob): boolean {
  const state = world.stateOf(job);
  if (state === undefined || state.status === 'cancelled') return false;
  // One poison chunk ends workers, and with them the tasks of all jobs that they hold.
  const poisoned = world.jobs.some(({ isPoisoned }) => isPoisoned);
  return state.input === 'complete' && !poisoned && !failsOn(job.plan, job.input);
}

/** Holds a job that nothing stands in the way of to its promise. */
export function checkCompleted(world: World, job: SimJob): void {
  if (!mustComplete(world, job)) return;
  const { status = 'deleted', error = null } = world.stateOf(job) ?? {};
  check(status === 'completed', `${job.name} completes (${status}: ${error?.message ?? ''})`);
}

/** Compares what a job has come to, in every view of it, with the oracle. */
export async function checkOutcome(world: World, job: SimJob): Promise<void> {
  const { master } = world;
  check(master !== null, 'there is a master');
  const record = world.store.job(job.id);
  const isGone = record === null && !job.isRemoved;
  check(!(isGone && job.told.has('received')), `${job.name} is there, as its client was told`);
  if (record === null) return;
  const { state, facts } = record;
  const isForgotten =
    state.error?.code === 'upload-expired' || state.error?.code === 'input-truncated';
  check(
    !(isForgotten && job.told.has('received')),
    `${job.name} has its input, as its client was told`,
  );
  checkCompleted(world, job);
  if (!state.status.startsWith('completed')) return;
  const keysOf = (waves: typeof facts.waves) => waves?.map(({ contextKey }) => contextKey).join();
  check(keysOf(facts.waves) === keysOf(job.plan.waves), `${job.name} is read as its plan says`);
  const each = world.store.chunks(job.id, 0, state.chunkCount);
  const counts = each.map((chunk) => chunk.statistics ?? ZERO_STATISTICS);
  check(
    isAccountedFor(state, byWave(state, comparesKeys(facts.waves)), counts),
    `${job.name}: each wave took what the one before put out, but for its failed tasks`,
  );
  const lacksTasks = state.failed.some((index) => waveOf(state, index) > 0);
  const wanted = expectedWithout(job.plan, job.input, state.failed, facts);
  const statistics = { ...jobTotals(state, state.waveCount), lines: 0 };
  check(
    lacksTasks || JSON.stringify(statistics) === JSON.stringify({ ...wanted.statistics, lines: 0 }),
    `${job.name} accounts for each record once`,
  );
  // As the master that merged it shows it, and as one does that was just started.
  const blobs = world.disk.view(master.process);
  const now = () => world.scheduler.nowMs;
  for (const assemblies of [
    master.assemblies,
    new Assemblies({ store: world.store, blobs, now }),
  ]) {
    const view = assemblies.result(() => record, onChange);
    check(view.complete, 'a finished result is complete');
    // A chunk that nobody can process cannot be made again either.
    if (state.status !== 'completed' && isDamagedForGood(world, job.id)) return;
    const output = await readAll(view.stream(0, view.bytes), job);
    const isCut = job.plan.waves.some(({ context }) => cutsRecords(context));
    // Where others take the place of those that are lacking there is nothing to compare with.
    if (lacksTasks && isCut) continue;
    check(
      lacksTasks ? isPartOf(output, wanted.output) : output.equals(wanted.output),
      `${job.name}: the output is the oracle's, byte for byte`,
    );
  }
  if (lacksTasks || wanted.columns === null || wanted.columns.length === 0) return;
  const stored = world.disk.objects.get(`outputs/${job.id}/profile.json`);
  check(stored !== undefined, `${job.name} has its profile`);
  const profile = JSON.parse(Buffer.from(stored).toString()) as Profile;
  check(
    JSON.stringify(profile.columns) === JSON.stringify(wanted.columns),
    `${job.name}: the profile is the oracle's`,
  );
}

function cutsRecords({ exchange }: ChunkContext): boolean {
  return exchange !== null && (exchange.kind !== 'sort' || exchange.take !== null);
}

/** Whether the lines of `part` are lines of `whole`, in its order. */
function isPartOf(part: Buffer, whole: Buffer): boolean {
  const lines = part.toString().split('\n').values();
  let wanted = lines.next();
  for (const line of whole.toString().split('\n')) {
    if (!wanted.done && line === wanted.value) wanted = lines.next();
  }
  return wanted.done === true;
}

function isDamagedForGood(world: World, jobId: string): boolean {
  return world.store
    .chunks(jobId, 0, 1_000)
    .some(({ taskKey }) => world.disk.everDamaged.has(`results/${taskKey}`));
}

/** What is finished changes no more. */
const onChange = () => () => undefined;

/** Reads a finished job's result as somebody does who downloads it. Damage is told to the job. */
export async function readResult(world: World, job: SimJob): Promise<void> {
  const { master } = world;
  const record = world.store.job(job.id);
  if (master === null || record?.state.status !== 'completed') return;
  const view = master.assemblies.result(() => record, onChange);
  try {
    for await (const piece of view.stream(0, view.bytes)) void piece;
  } catch (thrown) {
    const { code } = toSluiceError(thrown);
    check(code === 'blob-corrupt' || code === 'blob-missing', `${job.name} can be read: ${code}`);
    const after = world.stateOf(job);
    check(after !== undefined && isDamaged(after), `${job.name} says that its result is damaged`);
  }
}

async function readAll(stream: Readable, job: SimJob): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of stream) pieces.push(piece as Uint8Array);
  } catch (thrown) {
    throw new Violation(`${job.name}: the result can be read: ${String(thrown)}`);
  }
  return Buffer.concat(pieces);
}
