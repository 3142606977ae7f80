import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileKernel } from '../../pipeline/parsing/structural/kernel.ts';
import type { KernelModule } from '../../pipeline/parsing/structural/kernel.ts';

const BUILT = new URL('../../dist/pipeline/parsing/structural/kernel.wasm', import.meta.url);

/** The built kernel: `npm test` builds it before the tests run. */
export function builtKernel(): KernelModule {
  return compileKernel(readFileSync(fileURLToPath(BUILT)));
}
