import type { ChunkCounts, Job, JobStatus } from '../../../pipeline/protocol/index.ts';

export type Tone = 'active' | 'waiting' | 'good' | 'warning' | 'bad' | 'quiet';

const STATUS_LABELS: Readonly<Record<JobStatus, string>> = {
  receiving: 'Receiving',
  processing: 'Processing',
  finalizing: 'Finalizing',
  paused: 'Paused',
  completed: 'Completed',
  completed_with_failures: 'Completed with failures',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

const STATUS_TONES: Readonly<Record<JobStatus, Tone>> = {
  receiving: 'active',
  processing: 'active',
  finalizing: 'active',
  paused: 'waiting',
  completed: 'good',
  completed_with_failures: 'warning',
  failed: 'bad',
  cancelled: 'quiet',
};

export const ALL_STATUSES = Object.keys(STATUS_LABELS) as JobStatus[];

export function statusLabel(status: JobStatus): string {
  return STATUS_LABELS[status];
}

export function statusTone(status: JobStatus): Tone {
  return STATUS_TONES[status];
}

/** Whether the job still changes by itself. */
export function isActive(status: JobStatus): boolean {
  return status === 'receiving' || status === 'processing' || status === 'finalizing';
}

/** Whether nothing follows but by retry. */
export function isFinal(status: JobStatus): boolean {
  return !isActive(status) && status !== 'paused';
}

export function chunkTotal(counts: ChunkCounts): number {
  return counts.queued + counts.running + counts.done + counts.reused + counts.failed;
}

/** Share of the input received, 0 to 1; null when the client did not say how much will come. */
export function receivedShare(job: Job): number | null {
  if (job.status !== 'receiving' && job.inputHash !== null) return 1;
  if (job.bytesTotal === null) return null;
  return job.bytesTotal === 0 ? 0 : Math.min(1, job.bytesReceived / job.bytesTotal);
}

/** Share of the received input that is processed, 0 to 1. */
export function processedShare(job: Job): number {
  if (job.status === 'completed') return 1;
  return job.bytesReceived === 0 ? 0 : Math.min(1, job.bytesProcessed / job.bytesReceived);
}
