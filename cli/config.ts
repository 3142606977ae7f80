import type { Server } from './api-client.ts';

const DEFAULT_SERVER = 'http://127.0.0.1:5001';

export interface ServerFlags {
  readonly server?: string;
  readonly token?: string;
}

/** The server that flags or environment name; the default one when neither does. */
export function serverFrom(flags: ServerFlags, env: NodeJS.ProcessEnv = process.env): Server {
  return {
    url: flags.server ?? env['SLUICE_SERVER'] ?? DEFAULT_SERVER,
    token: flags.token ?? env['SLUICE_TOKEN'] ?? null,
  };
}

/** Of a run, which says itself what went wrong, in words. */
export function runLogLevel(env: NodeJS.ProcessEnv = process.env): string {
  return env['SLUICE_LOG_LEVEL'] ?? 'fatal';
}
