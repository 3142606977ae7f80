import { invariant } from '../../errors.ts';
import { DECIMAL_KERNELS } from './decimal-kernels.ts';
import { EXTREME_KERNELS } from './extreme-kernels.ts';
import type { Kernel } from './kernel.ts';
import { NUMBER_KERNELS } from './number-kernels.ts';
import { PATTERN_KERNELS } from './pattern-kernels.ts';
import { TEXT_KERNELS } from './text-kernels.ts';
import { TIME_KERNELS } from './time-kernels.ts';

const KERNELS = new Map(
  [
    NUMBER_KERNELS,
    DECIMAL_KERNELS,
    TEXT_KERNELS,
    PATTERN_KERNELS,
    TIME_KERNELS,
    EXTREME_KERNELS,
  ].flatMap((table) => Object.entries(table)),
);

/** The kernel of a signature, see plan/expression/functions.ts. */
export function kernelOf(signature: string): Kernel {
  const kernel = KERNELS.get(signature);
  invariant(kernel !== undefined, `there is a kernel for ${signature}`);
  return kernel;
}
