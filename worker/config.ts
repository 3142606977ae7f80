import { SluiceError } from '../pipeline/errors.ts';
import { type S3Location, s3Location } from '../pipeline/storage/s3-location.ts';
import { DEFAULT_BROKER_PREFIX } from '../pipeline/protocol/broker-topology.ts';

/** Where chunks and results are: what the master sees too, or the master itself. */
export type WorkerStorage =
  | { readonly kind: 'file'; readonly dir: string; readonly durable: boolean }
  | { readonly kind: 's3'; readonly location: S3Location }
  | { readonly kind: 'http'; readonly url: string; readonly token: string };

export type WorkerBroker =
  | { readonly kind: 'ipc' }
  | { readonly kind: 'amqp'; readonly url: string; readonly prefix: string };

/** Frozen settings of a worker. Only this file reads the environment. */
export interface WorkerConfig {
  readonly name: string;
  readonly broker: WorkerBroker;
  readonly storage: WorkerStorage;
  readonly logLevel: string;
}

export interface WorkerSettings {
  readonly name: string;
  /** An amqp:// URL, or 'ipc' for a child process of the master. */
  readonly broker?: string | null | undefined;
  readonly queuePrefix?: string | undefined;
  /** The master's URL: chunks and results go through it. */
  readonly master?: string | null | undefined;
  /** What the master's `/internal` routes ask of a worker. */
  readonly token?: string | null | undefined;
  /** Folder of the blobs, instead of `master`. */
  readonly storageDir?: string | undefined;
  /** Whether results in `storageDir` are to outlive the machine's crash; true when left out. */
  readonly storageDurable?: boolean;
  /** s3://bucket/prefix, instead of `master`. */
  readonly store?: string | undefined;
  readonly logLevel?: string | undefined;
}

/** A worker's name is shown, and part of the broker's list of connections. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Settings first, then the environment, then defaults. Errors: `usage`. */
export function workerConfig(
  settings: WorkerSettings,
  env: NodeJS.ProcessEnv = process.env,
): WorkerConfig {
  if (!NAME.test(settings.name)) {
    throw new SluiceError('usage', 'a worker is named by letters, digits and . _ - (64 at most)');
  }
  return Object.freeze({
    name: settings.name,
    broker: brokerOf(
      settings.broker ?? env['SLUICE_BROKER'],
      settings.queuePrefix ?? env['SLUICE_QUEUE_PREFIX'] ?? DEFAULT_BROKER_PREFIX,
    ),
    storage: storageOf(settings, env),
    logLevel: settings.logLevel ?? env['SLUICE_LOG_LEVEL'] ?? 'warn',
  });
}

function brokerOf(broker: string | undefined, prefix: string): WorkerBroker {
  if (broker === 'ipc') return { kind: 'ipc' };
  if (broker !== undefined && /^amqps?:\/\//.test(broker)) {
    return { kind: 'amqp', url: broker, prefix };
  }
  throw new SluiceError(
    'usage',
    'a worker takes its tasks from a broker: give --broker amqp://... or set SLUICE_BROKER',
  );
}

function storageOf(settings: WorkerSettings, env: NodeJS.ProcessEnv): WorkerStorage {
  const { storageDir: dir, storageDurable: durable = true } = settings;
  if (dir !== undefined) return { kind: 'file', dir, durable };
  const store = settings.store ?? env['SLUICE_STORE'];
  if (store !== undefined) return { kind: 's3', location: s3Location(store, env) };
  const token = settings.token ?? env['SLUICE_WORKER_TOKEN'] ?? '';
  if (typeof settings.master === 'string') return { kind: 'http', url: settings.master, token };
  throw new SluiceError(
    'usage',
    'a worker needs --master URL or --store s3://bucket/prefix, where chunks and results are',
  );
}
