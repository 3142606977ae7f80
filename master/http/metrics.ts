import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { MasterMetrics, MasterService } from '../service.ts';

const COUNTERS: Readonly<Record<string, readonly [keyof MasterMetrics, string]>> = {
  sluice_received_bytes_total: ['bytesReceived', 'Input bytes received'],
  sluice_chunks_done_total: ['chunksDone', 'Chunks processed by workers'],
  sluice_chunks_reused_total: ['chunksReused', 'Chunks answered from stored results'],
  sluice_chunks_failed_total: ['chunksFailed', 'Chunks that failed on every attempt'],
  sluice_records_in_total: ['recordsIn', 'Input records of finished chunks'],
  sluice_tasks_published_total: ['tasksPublished', 'Tasks published to the queue'],
  sluice_announcements_duplicate_total: ['announcementsDuplicate', 'Results delivered again'],
  sluice_results_damaged_total: ['resultsDamaged', 'Finished jobs found with a damaged result'],
  sluice_blobs_removed_total: ['blobsRemoved', 'Stored objects removed that no job needed'],
  sluice_jobs_expired_total: ['jobsExpired', 'Finished jobs deleted by the retention rule'],
  sluice_sweeps_failed_total: ['sweepsFailed', 'Rounds of housekeeping that failed'],
};

const WORKER_STATES = ['idle', 'working', 'draining', 'stopped', 'lost'] as const;

/** Prometheus metrics of one server: the process's own, and the master's, read when asked for. */
export function createMetrics(service: MasterService): Registry {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  for (const [name, [key, help]] of Object.entries(COUNTERS)) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(service.metrics[key]);
      },
    });
  }
  new Gauge({
    name: 'sluice_jobs_active',
    help: 'Jobs that are not final',
    registers,
    collect() {
      this.set(service.metrics.jobsActive);
    },
  });
  new Gauge({
    name: 'sluice_queue_connected',
    help: '1 while the task queue is connected',
    labelNames: ['kind'],
    registers,
    collect() {
      const { queue } = service.workers();
      this.reset();
      this.set({ kind: queue.kind }, queue.connected ? 1 : 0);
    },
  });
  new Gauge({
    name: 'sluice_workers',
    help: 'Workers by state',
    labelNames: ['state'],
    registers,
    collect() {
      const { workers } = service.workers();
      for (const state of WORKER_STATES) {
        this.set({ state }, workers.filter((worker) => worker.state === state).length);
      }
    },
  });
  return register;
}
