import type { AccessToken } from './access.ts';

/** What the HTTP edge is told at start; frozen. */
export interface HttpConfig {
  /** Tokens of people and programs. Empty: loopback callers may do everything but `/internal`. */
  readonly tokens: readonly AccessToken[];
  /** Opens `/internal` and nothing else; random when the operator sets none. */
  readonly workerToken: string;
  /** Host names, besides loopback's, by which this server may be called when it has no tokens. */
  readonly hosts: readonly string[];
  /** Origins, besides the server's own, whose pages may change state (a development server). */
  readonly origins: readonly string[];
  /** Folder with the built dashboard; null serves none. */
  readonly dashboardFolder: string | null;
  /** Shown in the API document. */
  readonly version: string;
  /** Requests a minute and client address; loopback and workers are not counted. */
  readonly rateLimitPerMinute: number;
  /** An upload is given up when the client sends nothing for this long while we want more. */
  readonly uploadIdleMs: number;
  /** After an early answer to an upload: read and drop at most this, for at most so long. */
  readonly drainBytesMax: number;
  readonly drainMsMax: number;
}

export const HTTP_DEFAULTS = {
  tokens: [],
  hosts: [],
  origins: [],
  dashboardFolder: null,
  version: '0.0.0',
  /** 20 a second: a dashboard that polls uses 4. */
  rateLimitPerMinute: 1200,
  /** Two minutes bridge a change of network; a dead peer must not hold a job for ever. */
  uploadIdleMs: 120_000,
  /** A client that does not read while it writes sees the answer when its socket buffers (at most
   *  some 6 MiB on common systems) and the network are empty. */
  drainBytesMax: 64 * 1024 * 1024,
  drainMsMax: 5_000,
} as const satisfies Partial<HttpConfig>;
