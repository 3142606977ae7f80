import type { Job, JobWave } from '../../../pipeline/protocol/index.ts';
import { isActive } from './job-status.ts';
import { formatCount } from './quantities.ts';

const WORK_OF: Readonly<Record<JobWave['kind'], string>> = {
  read: 'reading',
  sort: 'sorting',
  limit: 'cutting to the limit',
  distinct: 'looking for duplicates',
  duplicates: 'taking duplicates out',
  lookup: 'reading the lookup',
  match: 'finding matches',
  join: 'joining',
  group: 'merging groups',
  gather: 'gathering what the next wave reads',
};

/** What a job of several waves is at, such as "Wave 2 of 3: sorting, 4 of 9 chunks"; else null. */
export function waveProgress({ waves, status }: Pick<Job, 'waves' | 'status'>): string | null {
  if (waves.length < 2) return null;
  const planned = waves.filter(({ firstChunk }) => firstChunk !== null);
  const current = planned.findIndex(({ answered, chunks }) => answered < chunks);
  const at = current < 0 ? planned.length - 1 : current;
  const wave = waves[at];
  if (wave === undefined || !isActive(status)) return `${waves.length} waves`;
  const done = `${formatCount(wave.answered)} of ${formatCount(wave.chunks)} chunks`;
  return `Wave ${at + 1} of ${waves.length}: ${WORK_OF[wave.kind]}, ${done}`;
}
