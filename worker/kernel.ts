import { readFileSync } from 'node:fs';
import { builtFile } from '../pipeline/built-files.ts';
import { compileKernel } from '../pipeline/parsing/structural/kernel.ts';
import type { KernelModule } from '../pipeline/parsing/structural/kernel.ts';

const KERNEL = 'pipeline/parsing/structural/kernel.wasm';

/** The kernel as the build made it. */
export function loadKernel(): KernelModule {
  return compileKernel(readFileSync(builtFile(KERNEL)));
}
