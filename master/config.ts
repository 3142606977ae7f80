import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { SluiceError } from '../pipeline/errors.ts';
import { type S3Location, s3Location } from '../pipeline/storage/s3-location.ts';
import { parseDuration } from './housekeeping/retention.ts';
import { LIMITS } from '../pipeline/limits.ts';

export type Role = 'viewer' | 'operator' | 'admin' | 'worker';

export interface AccessToken {
  readonly token: string;
  readonly role: Role;
}

/** Frozen settings of a master. Only this file reads the environment. */
export interface MasterConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** False runs without HTTP, for `sluice run`. */
  readonly listen: boolean;
  readonly dataDir: string;
  /** Where chunks and results are, when not in `dataDir`: s3://bucket/prefix. */
  readonly store: string | null;
  /** Of `store`. */
  readonly s3: S3Location | null;
  /** False when nobody will open `dataDir` again: nothing is synced to the disk. */
  readonly durable: boolean;
  /** Worker processes to start beside the master. */
  readonly workers: number;
  /** Of these, the ones that the embedded queue does not start when tasks wait for them, but at once. */
  readonly workersAtOnce: number;
  /** amqp:// or amqps:// URL; null for the in-process queue. */
  readonly broker: string | null;
  /** Prefix of the queues' names, so that several masters can share a broker. */
  readonly queuePrefix: string;
  readonly tokens: readonly AccessToken[];
  readonly workerToken: string;
  readonly logLevel: string;
  /** How long finished jobs are kept, and how many; null keeps all. */
  readonly retentionMs: number | null;
  readonly keepJobs: number | null;
  /** How often blobs are looked for that no job needs, and how long such a blob stays at least. */
  readonly sweepMs: number;
  readonly sweepGraceMs: number;
  /** A resumable upload is given up when its client was silent for so long. */
  readonly uploadExpiryMs: number;
}

export type MasterOptions = Partial<MasterConfig>;

/** A sweep reads the names of all blobs: some seconds for a million. */
const SWEEP_MS = 10 * 60_000;
/** An upload commits a chunk's row within seconds of storing it, unless the disk is full. */
const SWEEP_GRACE_MS = 60 * 60_000;

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * Settings from options first, then the environment, then defaults. Errors: `usage` for values that
 * make no sense, and for an address other machines can reach while no token guards it.
 */
export function masterConfig(
  options: MasterOptions = {},
  env: NodeJS.ProcessEnv = process.env,
): MasterConfig {
  const workers =
    options.workers ?? integer(env['SLUICE_WORKERS'], 'SLUICE_WORKERS') ?? availableParallelism();
  const config: MasterConfig = {
    host: options.host ?? env['SLUICE_HOST'] ?? '127.0.0.1',
    port: options.port ?? integer(env['SLUICE_PORT'], 'SLUICE_PORT') ?? 5001,
    listen: options.listen ?? true,
    dataDir: path.resolve(options.dataDir ?? env['SLUICE_DATA'] ?? '.sluice'),
    ...storeOf(options.store ?? env['SLUICE_STORE'] ?? null, env),
    durable: options.durable ?? true,
    workers,
    workersAtOnce: options.workersAtOnce ?? workers,
    broker: options.broker ?? env['SLUICE_BROKER'] ?? null,
    queuePrefix: options.queuePrefix ?? env['SLUICE_QUEUE_PREFIX'] ?? 'sluice',
    tokens: options.tokens ?? tokens(env['SLUICE_TOKENS']),
    workerToken:
      options.workerToken ?? env['SLUICE_WORKER_TOKEN'] ?? randomBytes(24).toString('base64url'),
    uploadExpiryMs:
      options.uploadExpiryMs ?? duration(env, 'SLUICE_UPLOAD_EXPIRY') ?? LIMITS.uploadExpiryMs,
    logLevel: options.logLevel ?? env['SLUICE_LOG_LEVEL'] ?? 'warn',
    retentionMs: options.retentionMs ?? duration(env, 'SLUICE_RETENTION'),
    keepJobs: options.keepJobs ?? integer(env['SLUICE_KEEP'], 'SLUICE_KEEP') ?? null,
    sweepMs: options.sweepMs ?? duration(env, 'SLUICE_SWEEP') ?? SWEEP_MS,
    sweepGraceMs: options.sweepGraceMs ?? duration(env, 'SLUICE_SWEEP_GRACE') ?? SWEEP_GRACE_MS,
  };
  if (config.listen && !LOOPBACK.has(config.host) && config.tokens.length === 0) {
    throw new SluiceError(
      'usage',
      `${config.host} can be reached from other machines: set SLUICE_TOKENS (for instance ` +
        '"admin:<long random text>,viewer:<another>") or bind to 127.0.0.1',
    );
  }
  if (config.broker !== null && !/^amqps?:\/\//.test(config.broker)) {
    throw new SluiceError('usage', '--broker takes an amqp:// or amqps:// URL');
  }
  return Object.freeze(config);
}

function storeOf(store: string | null, env: NodeJS.ProcessEnv): Pick<MasterConfig, 'store' | 's3'> {
  return { store, s3: store === null ? null : s3Location(store, env) };
}

function duration(env: NodeJS.ProcessEnv, name: string): number | null {
  const text = env[name];
  return text === undefined || text === '' ? null : parseDuration(text, name);
}

/** "role:token,role:token". */
function tokens(text: string | undefined): AccessToken[] {
  if (text === undefined || text === '') return [];
  return text.split(',').map((entry) => {
    const at = entry.indexOf(':');
    const role = entry.slice(0, at).trim();
    const token = entry.slice(at + 1).trim();
    if (!isRole(role) || token.length < 16) {
      throw new SluiceError(
        'usage',
        'SLUICE_TOKENS holds "role:token" pairs; roles are viewer, operator, admin, worker, ' +
          'and a token has 16 characters or more',
      );
    }
    return { role, token };
  });
}

function isRole(text: string): text is Role {
  return text === 'viewer' || text === 'operator' || text === 'admin' || text === 'worker';
}

function integer(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) {
    throw new SluiceError('usage', `${name} takes a whole number, not ${JSON.stringify(text)}`);
  }
  return value;
}
