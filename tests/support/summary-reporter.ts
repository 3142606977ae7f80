import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from 'vitest/node';

/** What a run amounts to; `failed` counts broken files and stray errors as one failure each. */
export interface RunSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Outermost skipped suites (or single tests), each with its reason. */
  readonly skippedNames: readonly string[];
}

/**
 * Names what was skipped, and makes `N passed, N failed, N skipped` the last line of the run. It is
 * written when the process exits, so that nothing of the runner comes after it.
 */
export default class SummaryReporter implements Reporter {
  private summary: RunSummary | null = null;

  onInit(): void {
    process.once('exit', () => {
      if (this.summary !== null) process.stdout.write(render(this.summary));
    });
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
    reason: 'passed' | 'interrupted' | 'failed',
  ): void {
    this.summary = summarize(modules, unhandledErrors.length, reason);
  }
}

function summarize(
  modules: readonly TestModule[],
  strayErrors: number,
  reason: string,
): RunSummary {
  let passed = 0;
  let failed = strayErrors;
  let skipped = 0;
  const names = new Set<string>();
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const state = test.result().state;
      if (state === 'passed') passed++;
      else if (state === 'failed') failed++;
      else {
        skipped++;
        names.add(skippedName(module, test));
      }
    }
    failed += brokenOutsideTests(module);
  }
  if (failed === 0 && reason !== 'passed') failed = 1;
  return { passed, failed, skipped, skippedNames: [...names].sort() };
}

/** Failures that no test shows: a file that does not load, a hook of a suite that throws. */
function brokenOutsideTests(module: TestModule): number {
  let broken = module.errors().length;
  for (const suite of module.children.allSuites()) broken += suite.errors().length;
  return broken;
}

function skippedName(module: TestModule, test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  const outermost = note === undefined ? outermostSkipped(test) : test;
  const reason = note ?? (outermost.name.includes('(') ? '' : 'its condition is not met here');
  return `${module.relativeModuleId} > ${outermost.fullName}${reason === '' ? '' : `: ${reason}`}`;
}

/** The topmost suite around the test in which nothing ran, else the test itself. */
function outermostSkipped(test: TestCase): TestCase | TestSuite {
  let found: TestCase | TestSuite = test;
  let parent: TestSuite | TestModule = test.parent;
  while (parent.type === 'suite') {
    if (parent.options.mode === 'skip') found = parent;
    parent = parent.parent;
  }
  return found;
}

function render(summary: RunSummary): string {
  const list = summary.skippedNames.map((name) => `  - ${name}\n`).join('');
  const skips = list === '' ? '' : `\nSkipped:\n${list}`;
  const { passed, failed, skipped } = summary;
  return `${skips}\n${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}
