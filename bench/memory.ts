import { LIMITS } from '../pipeline/limits.ts';
import type { Run } from './measure.ts';
import type { Role } from './process-tree.ts';

/** Of the master and one upload, and of a worker. */
const BOUNDS: Readonly<Record<Role, number>> = {
  master: LIMITS.masterResidentBytes + LIMITS.masterResidentBytesPerUpload,
  worker: LIMITS.workerResidentBytes,
};

export interface RoleMemory {
  readonly text: string;
  readonly isOver: boolean;
}

/** The largest process of each role in all runs, held against its bound; empty without figures. */
export function memoryOf(measurements: readonly { readonly runs: readonly Run[] }[]): RoleMemory[] {
  const runs = measurements.flatMap((one) => one.runs);
  return (['master', 'worker'] as const).flatMap((role) => {
    const peak = Math.max(0, ...runs.map((run) => run.peakBytesByRole[role] ?? 0));
    if (peak === 0) return [];
    const isOver = peak > BOUNDS[role];
    const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);
    const verdict = isOver ? 'OVER its bound' : 'within its bound';
    const text = `largest ${role}: ${mib(peak)} MiB resident, ${verdict} of ${mib(BOUNDS[role])} MiB`;
    return [{ text, isOver }];
  });
}
