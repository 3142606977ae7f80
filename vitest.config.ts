import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { onSimulatedFiles } from './tests/simulation/on-simulated-files.mjs';

/**
 * One project per kind of test, told apart by the file's ending. Browser, broker and whole-job tests
 * (`*.e2e.test.ts`) run three files at a time, after everything else: they start processes of
 * their own, and wait for them more than they compute.
 */
const outside = ['node_modules/**', 'dist/**', 'bench/out/**'];

export default defineConfig({
  test: {
    reporters: ['default', './tests/support/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/**/*.test.ts', 'dashboard-vue/**/*.test.ts'],
          exclude: [...outside, '**/*.{property,sim,e2e}.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          isolate: false,
          maxWorkers: availableParallelism(),
        },
      },
      {
        test: {
          name: 'property',
          include: ['tests/**/*.property.test.ts'],
          exclude: outside,
          testTimeout: 120_000 * Math.max(1, Number(process.env['SLUICE_FUZZ'] ?? 1)),
          isolate: false,
          maxWorkers: availableParallelism(),
        },
      },
      {
        plugins: [onSimulatedFiles],
        test: {
          name: 'sim',
          include: ['tests/**/*.sim.test.ts'],
          execArgv: ['--max-semi-space-size=64', '--single-threaded-gc'],
          exclude: outside,
          testTimeout: 300_000,
          maxWorkers: availableParallelism(),
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/**/*.e2e.test.ts'],
          exclude: outside,
          testTimeout: 600_000,
          hookTimeout: 180_000,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
