import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { generateFile, xorshift32 } from '../support/generate.ts';
import { describeWith } from '../support/needs.ts';
import { startRabbitMq } from '../support/rabbitmq.ts';
import { runChaos } from './chaos-run.ts';
import { ChaosWorld } from './chaos-world.ts';

/** `npm run chaos` sets these; what stands here is the short run of `npm test`. */
const megabytes = Number(process.env['CHAOS_MEGABYTES'] ?? 20);
const faults = Number(process.env['CHAOS_FAULTS'] ?? 13);
const seed = Number(process.env['CHAOS_SEED'] ?? 1);
const isLong = process.env['CHAOS_FAULTS'] !== undefined;
const jobWithinMs = isLong ? 1_800_000 : 240_000;

vi.setConfig({ testTimeout: isLong ? 7_200_000 : 600_000, hookTimeout: 240_000 });

const started = await startRabbitMq();
const broker = 'skipped' in started ? null : started;
const need = {
  met: broker?.owned === true,
  otherwise: 'skipped' in started ? started.skipped : 'a broker that somebody provided is not ours',
};

describeWith(need, `jobs of ${megabytes} MB under ${faults} faults, seed ${seed}`, () => {
  let folder = '';
  let file = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-chaos-input-'));
    file = path.join(folder, 'people.csv');
    await generateFile(file, { bytes: megabytes * 1e6, seed: 7, malformedEvery: 3000 });
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await broker?.stop();
  });

  test('give what an undisturbed run gives, and leave nothing over', async () => {
    if (broker === null) return;
    const random = xorshift32(seed);
    // Room for the chunks, the results of two waves, and what is being written.
    const world = await ChaosWorld.start(broker, megabytes * 5e6 + 200e6, random);
    try {
      const log = (line: string): void => {
        if (isLong) process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
      };
      const report = await runChaos(world, { file, folder, faults, random, jobWithinMs, log });
      log(JSON.stringify(report, null, 2));
      expect(report.wrong, world.output()).toEqual([]);
      const struck = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
      expect(struck).toBe(faults);
      expect(Object.keys(report.faults).length).toBe(Math.min(faults, world.faults().length));
    } finally {
      await world.close();
    }
  });
});
