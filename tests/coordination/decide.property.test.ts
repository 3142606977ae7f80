import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, isPublishable } from '../../master/coordination/decide.ts';
import { INITIAL_JOB_STATE, ZERO_STATISTICS } from '../../master/coordination/job-state.ts';
import { isFinal, type JobEffect, type JobEvent } from '../../master/coordination/job-state.ts';
import type { JobState } from '../../master/coordination/job-state.ts';
import { answeredCount, jobTotals } from '../../master/coordination/waves.ts';
import { LIMITS } from '../../pipeline/limits.ts';

/** Chunk `index` has index + 1 records: sums tell which chunks were counted, and how often. */
const statisticsOf = (index: number) => ({
  ...ZERO_STATISTICS,
  recordsIn: index + 1,
  recordsOut: index + 1,
});

/**
 * A world around `decide`: what was published may be lost, answered twice, late, or fail; the
 * process may restart, with every effect that was not performed forgotten.
 */
class World {
  state: JobState = INITIAL_JOB_STATE;
  readonly merged: number[] = [];
  readonly discarded: number[] = [];
  finalizedCount = 0;
  /** Messages on their way, in no order. */
  wire: { index: number; attempt: number }[] = [];
  pendingMerges: number[] = [];
  pendingPlans: number[] = [];
  pendingFinalize = 0;
  chunksLeft: number;
  /** Tasks of each wave behind the first. */
  readonly later: readonly number[];

  constructor(chunkCount: number, later: readonly number[] = []) {
    this.chunksLeft = chunkCount;
    this.later = later;
  }

  complete(): void {
    this.send({ kind: 'input-complete', waves: 1 + this.later.length });
  }

  send(event: JobEvent): string {
    const decision = decide(this.state, event);
    // Total and deterministic.
    expect(decide(this.state, event)).toEqual(decision);
    this.state = JSON.parse(JSON.stringify(decision.state)) as JobState;
    for (const effect of decision.effects) this.perform(effect);
    return decision.verdict;
  }

  perform(effect: JobEffect): void {
    switch (effect.kind) {
      case 'publish':
        this.wire.push({ index: effect.index, attempt: effect.attempt });
        return;
      case 'merge':
        this.pendingMerges.push(effect.index);
        return;
      case 'rebuild':
        this.merged.length = effect.watermark;
        return;
      case 'discard-result':
        this.discarded.push(effect.index);
        return;
      case 'plan-wave':
        this.pendingPlans.push(effect.wave);
        return;
      case 'finalize':
        this.pendingFinalize += 1;
        return;
      case 'abort-input':
        this.chunksLeft = 0;
        return;
      case 'revoke':
        // What was called back may come all the same: nothing depends on it.
        return;
    }
  }

  announce(at: number, copies: number): void {
    const message = this.wire.splice(at % this.wire.length, 1)[0];
    if (message === undefined) return;
    for (let copy = 0; copy < copies; copy++) {
      this.send({
        kind: 'result-announced',
        index: message.index,
        attempt: message.attempt,
        worker: 'w',
        reused: copy > 0,
        ms: 1,
        statistics: statisticsOf(message.index),
      });
    }
  }

  merge(): void {
    const index = this.pendingMerges.shift();
    if (index === undefined) return;
    if (this.state.merging && this.state.watermark === index) this.merged.push(index);
    this.send({ kind: 'chunk-merged', index });
  }

  plan(): void {
    const wave = this.pendingPlans.shift();
    if (wave === undefined) return;
    this.send({ kind: 'wave-planned', wave, count: this.later[wave - 1] ?? 0 });
  }

  /** A result that was announced cannot be read, by whoever needs it. */
  loseResult(at: number): void {
    const index = at % Math.max(1, this.state.chunkCount);
    const error = { code: 'blob-missing', message: 'x', details: {} } as const;
    const about = { attempt: 1, reused: false, statistics: statisticsOf(index), error };
    const { watermark, waves } = this.state;
    // Only what an earlier wave has merged is read by tasks of a later one.
    if (index < watermark && waves.length > 1) this.send({ kind: 'result-lost', index, ...about });
  }

  restart(): void {
    this.pendingMerges = [];
    this.pendingPlans = [];
    this.pendingFinalize = 0;
    this.wire = [];
    this.merged.length = Math.min(this.merged.length, this.state.watermark);
    this.send({ kind: 'recovered' });
  }

  store(): void {
    if (this.chunksLeft === 0) return;
    this.chunksLeft -= 1;
    this.send({ kind: 'chunk-stored', index: this.state.chunkCount });
  }

  finalize(): void {
    if (this.pendingFinalize === 0) return;
    this.pendingFinalize -= 1;
    this.finalizedCount += 1;
    this.send({ kind: 'finalized', verdict: null });
  }

  recordsIn(): number {
    return jobTotals(this.state, 1).recordsIn;
  }

  checkInvariants(): void {
    const { state } = this;
    expect(state.watermark).toBeLessThanOrEqual(state.chunkCount);
    expect(state.cursor - state.watermark).toBeLessThanOrEqual(LIMITS.reorderChunksMin + 1);
    expect(state.waves[0]?.start).toBe(0);
    expect(state.waves.length).toBeLessThanOrEqual(state.waveCount);
    const outstanding = [...state.running, ...state.waiting].map(({ index }) => index);
    expect(new Set(outstanding).size).toBe(outstanding.length);
    expect(answeredCount(state) + outstanding.length).toBeLessThanOrEqual(state.chunkCount);
  }
}

const laterWaves = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 2 });
const faults = fc.array(
  fc.tuple(
    fc.constantFrom(
      ...['answer', 'twice', 'fail', 'lose', 'merge', 'merge', 'restart', 'reconnect', 'pause'],
      ...['plan', 'lose result'],
    ),
    fc.nat(50),
  ),
  { maxLength: 200 },
);

function step(world: World, action: string, at: number): void {
  switch (action) {
    case 'answer':
      world.announce(at, 1);
      return;
    case 'twice':
      world.announce(at, 2);
      return;
    case 'fail': {
      const message = world.wire[at % Math.max(1, world.wire.length)];
      if (message === undefined) return;
      world.send({
        kind: 'attempt-failed',
        ...message,
        worker: 'w',
        ms: 1,
        retryable: true,
        error: { code: 'storage-failed', message: 'x', details: {} },
      });
      return;
    }
    case 'lose':
      world.wire.splice(at % Math.max(1, world.wire.length), 1);
      return;
    case 'merge':
      world.merge();
      return;
    case 'plan':
      world.plan();
      return;
    case 'lose result':
      world.loseResult(at);
      return;
    case 'restart':
      if (world.state.input !== 'open') world.restart();
      return;
    case 'reconnect':
      world.send({ kind: 'reconnected' });
      return;
    case 'pause':
      world.send({ kind: at % 2 === 0 ? 'pause' : 'resume' });
      return;
  }
}

/** No more faults: everything that is asked for happens. */
function settle(world: World): void {
  while (world.chunksLeft > 0) world.store();
  world.complete();
  world.send({ kind: 'resume' });
  world.send({ kind: 'reconnected' });
  for (let round = 0; round < 10_000 && !isFinal(world.state); round++) {
    while (isPublishable(world.state)) world.send({ kind: 'slot-granted' });
    if (world.wire.length > 0) world.announce(0, 1);
    world.merge();
    world.plan();
    world.finalize();
  }
}

describe('decide', () => {
  it('merges every chunk once and in order, and ends, whatever happened before', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        laterWaves,
        faults,
        (inputCount, later, plan) => {
          const world = new World(inputCount, later);
          for (const [action, at] of plan) {
            if (at % 3 === 0) world.store();
            if (world.chunksLeft === 0) world.complete();
            if (isPublishable(world.state)) world.send({ kind: 'slot-granted' });
            step(world, action, at);
            world.checkInvariants();
          }
          settle(world);
          const { state } = world;
          const chunkCount = later.reduce((sum, count) => sum + count, inputCount);
          const all = Array.from({ length: chunkCount }, (_, index) => index);
          expect(isFinal(state)).toBe(true);
          expect(state.chunkCount).toBe(chunkCount);
          expect(state.waves).toHaveLength(1 + later.length);
          expect(state.watermark).toBe(chunkCount);
          expect(world.merged).toEqual(all.filter((index) => !state.failed.includes(index)));
          const ofInput = world.merged.filter((index) => index < inputCount);
          const records = ofInput.reduce((sum, index) => sum + index + 1, 0);
          expect(world.recordsIn()).toBe(records);
          expect(state.status).toBe(
            state.failed.length === 0 ? 'completed' : 'completed_with_failures',
          );
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('drops the waves behind a result that cannot be made again, and plans them anew', () => {
    const world = new World(2, [3, 1]);
    while (world.chunksLeft > 0) world.store();
    world.complete();
    for (let round = 0; round < 40 && world.state.waves.length < 3; round++) {
      while (isPublishable(world.state)) world.send({ kind: 'slot-granted' });
      if (world.wire.length > 0) world.announce(0, 1);
      world.merge();
      world.plan();
    }
    const error = { code: 'blob-missing', message: 'x', details: {} } as const;
    const lost = { index: 1, reused: false, statistics: statisticsOf(1), error };
    world.send({ kind: 'result-lost', attempt: LIMITS.chunkAttemptsMax, ...lost });
    expect(world.state).toMatchObject({ chunkCount: 2, failed: [1], watermark: 2 });
    expect(world.state.waves).toHaveLength(1);
    settle(world);
    expect(world.state).toMatchObject({ status: 'completed_with_failures', chunkCount: 6 });
    expect(world.merged).toEqual([0, 2, 3, 4, 5]);
    // What is retried may give other records: the waves behind it are of no use any more.
    expect(world.send({ kind: 'retry' })).toBe('taken');
    expect(world.state).toMatchObject({ chunkCount: 2, waiting: [{ index: 1, attempt: 1 }] });
    settle(world);
    expect(world.state.status).toBe('completed');
    expect(world.merged).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('makes a lost result again before the task that needs it', () => {
    const world = new World(2, [2]);
    while (world.chunksLeft > 0) world.store();
    world.complete();
    for (let round = 0; round < 40 && world.state.waves.length < 2; round++) {
      while (isPublishable(world.state)) world.send({ kind: 'slot-granted' });
      if (world.wire.length > 0) world.announce(0, 1);
      world.merge();
      world.plan();
    }
    world.send({ kind: 'slot-granted' });
    expect(world.state.running).toEqual([{ index: 2, attempt: 1 }]);
    const error = { code: 'blob-missing', message: 'x', details: {} } as const;
    const lost = { index: 0, attempt: 1, reused: false, statistics: statisticsOf(0), error };
    world.send({ kind: 'result-lost', ...lost });
    world.send({
      ...{ kind: 'attempt-failed', index: 2, attempt: 1, worker: 'w', ms: 1 },
      ...{ retryable: true, excused: true, error },
    });
    expect(world.state.watermark).toBe(0);
    world.send({ kind: 'slot-granted' });
    expect(world.state.running).toEqual([{ index: 0, attempt: 2 }]);
    expect(isPublishable(world.state)).toBe(false);
    world.wire = [{ index: 0, attempt: 2 }];
    world.announce(0, 1);
    expect(isPublishable(world.state)).toBe(true);
    settle(world);
    expect(world.state.status).toBe('completed');
    expect(world.merged).toEqual([0, 1, 2, 3]);
  });

  it('runs only the failed chunks again on retry, and then completes', () => {
    const world = new World(5);
    while (world.chunksLeft > 0) world.store();
    world.send({ kind: 'input-complete', waves: 1 });
    while (isPublishable(world.state)) world.send({ kind: 'slot-granted' });
    const poison = world.wire.splice(2, 1)[0];
    expect(poison?.index).toBe(2);
    world.send({
      kind: 'attempt-failed',
      index: 2,
      attempt: 1,
      worker: 'w',
      ms: 1,
      retryable: false,
      error: { code: 'internal', message: 'boom', details: {} },
    });
    settle(world);
    expect(world.state.status).toBe('completed_with_failures');
    expect(world.merged).toEqual([0, 1, 3, 4]);
    expect(world.send({ kind: 'retry' })).toBe('taken');
    expect(world.state.waiting).toEqual([{ index: 2, attempt: 1 }]);
    settle(world);
    expect(world.state.status).toBe('completed');
    expect(world.merged).toEqual([0, 1, 2, 3, 4]);
    expect(world.recordsIn()).toBe(1 + 2 + 3 + 4 + 5);
  });

  it('takes an announced result back when it cannot be read, and asks for the work again', () => {
    const world = new World(2);
    while (world.chunksLeft > 0) world.store();
    world.send({ kind: 'input-complete', waves: 1 });
    while (isPublishable(world.state)) world.send({ kind: 'slot-granted' });
    world.announce(0, 1);
    world.pendingMerges = [];
    world.send({
      kind: 'merge-failed',
      index: 0,
      attempt: 1,
      reused: false,
      statistics: statisticsOf(0),
      error: { code: 'blob-corrupt', message: 'x', details: {} },
    });
    expect(world.discarded).toEqual([0]);
    expect(world.recordsIn()).toBe(0);
    settle(world);
    expect(world.state.status).toBe('completed');
    expect(world.merged).toEqual([0, 1]);
  });

  it.each([
    ['the first bad record when the plan says on_error: fail', 'input-malformed'],
    ['groups too many to hold', 'group-limit'],
  ] as const)('ends the job at %s', (_, code) => {
    const world = new World(3);
    while (world.chunksLeft > 0) world.store();
    while (isPublishable(world.state)) world.send({ kind: 'slot-granted' });
    const error = { code, message: 'Line 7: ...', details: {} };
    world.send({
      ...{ kind: 'attempt-failed', index: 1, attempt: 1, worker: 'w', ms: 1 },
      ...{ retryable: false, error },
    });
    expect(world.state.status).toBe('failed');
    expect(world.state.error).toEqual(error);
    world.announce(0, 1);
    expect(world.recordsIn()).toBe(0);
  });

  it('refuses commands that make no sense, and changes nothing then', () => {
    const done: JobState = { ...INITIAL_JOB_STATE, status: 'completed', input: 'complete' };
    for (const kind of ['cancel', 'pause', 'resume', 'retry'] as const) {
      const decision = decide(done, { kind });
      expect(decision.verdict).toBe('refused');
      expect(decision.state).toEqual(done);
    }
  });
});
