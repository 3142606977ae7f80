import { readFileSync } from 'node:fs';
import { compileKernel } from '../pipeline/parsing/structural/kernel.ts';
import type { KernelModule } from '../pipeline/parsing/structural/kernel.ts';

/** The kernel that the build put beside the compiled rooms. */
export function loadKernel(): KernelModule {
  const file = new URL('../pipeline/parsing/structural/kernel.wasm', import.meta.url);
  return compileKernel(readFileSync(file));
}
