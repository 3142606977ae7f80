import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { Assemblies } from '../../master/aggregator/assemblies.ts';
import { Coordinator } from '../../master/driver/coordinator.ts';
import { WorkerRegistry } from '../../master/driver/worker-registry.ts';
import { IngestThreads } from '../../master/ingest/ingest-threads.ts';
import { LocalMasterService } from '../../master/master-service.ts';
import { InProcessProducer } from '../../master/queue/in-process-producer.ts';
import type { ChunkRecord } from '../../master/storage/job-record.ts';
import { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';
import { FileBlobStore } from '../../pipeline/storage/file-blob-store.ts';

/** A master without HTTP and without workers: inputs are taken, and nobody works on them. */
export interface IngestMaster {
  readonly service: LocalMasterService;
  readonly threads: IngestThreads;
  readonly blobs: FileBlobStore;
  chunks(jobId: string): ChunkRecord[];
  /** Files that are being written, or were left half-written. */
  temporaries(): string[];
  close(): Promise<void>;
}

const CHUNKS_MAX = 10_000;

export async function ingestMaster(): Promise<IngestMaster> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'sluice-ingest-'));
  const blobDir = path.join(dataDir, 'blobs');
  mkdirSync(blobDir);
  const log = pino({ level: 'silent' });
  const now = (): number => Date.now();
  const blobs = new FileBlobStore(blobDir);
  const store = new SqliteJobStore(path.join(dataDir, 'jobs.sqlite'));
  const workers = new WorkerRegistry(now);
  const assemblies = new Assemblies({ store, blobs, now });
  const queue = new InProcessProducer({
    ...{ workerEntry: '', storage: { kind: 'file', dir: blobDir, durable: true }, log },
  });
  const coordinator = new Coordinator({ store, blobs, queue, workers, assemblies, now, log });
  await coordinator.start();
  const threads = new IngestThreads({ kind: 'file', dir: blobDir, durable: true });
  const housekeeping = { blobsRemoved: 0, jobsExpired: 0, sweepsFailed: 0 };
  const service = new LocalMasterService({
    housekeeping,
    ...{ store, blobs, queue, workers, assemblies, coordinator, ingestThreads: threads, now, log },
    uploads: { dir: path.join(dataDir, 'uploads'), expiryMs: 60_000, readerIdleMs: 60_000 },
  });
  return {
    service,
    threads,
    blobs,
    chunks: (jobId) => store.chunks(jobId, 0, CHUNKS_MAX),
    temporaries: () => filesIn(path.join(blobDir, 'tmp')),
    close: async () => {
      await coordinator.close();
      await threads.close();
      await queue.close();
      store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}
