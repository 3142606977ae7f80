import { SluiceError } from '../../pipeline/errors.ts';
import { isLoopbackAddress } from './access.ts';

/**
 * Keeps foreign web pages out. A server without tokens trusts its address alone, so a page that
 * had its own name point to 127.0.0.1 (DNS rebinding) must be told by the Host header; and no page
 * of another origin may change state or open a socket.
 */
export interface HostGuard {
  /** Throws `forbidden`. `guarded`: the request changes state or opens a socket. */
  check(headers: GuardedHeaders, guarded: boolean): void;
}

export interface GuardedHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
}

export interface HostGuardOptions {
  /** Whether Host must be loopback's or one of `hosts`. */
  readonly checkHost: boolean;
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
}

export function createHostGuard(options: HostGuardOptions): HostGuard {
  const hosts = new Set(options.hosts.map((host) => host.toLowerCase()));
  const origins = new Set(options.origins);

  function checkHost(host: string | undefined): void {
    const name = hostName(host);
    if (name !== null && (isLoopbackName(name) || hosts.has(name))) return;
    throw new SluiceError('forbidden', 'this server is not called by that host name', {
      details: { host: host ?? null },
    });
  }

  function checkOrigin(headers: GuardedHeaders): void {
    const { origin } = headers;
    if (origin !== undefined) {
      if (origins.has(origin) || isSameOrigin(origin, headers.host)) return;
      throw new SluiceError('forbidden', 'pages of another origin may not do this', {
        details: { origin },
      });
    }
    if (headers['sec-fetch-site'] === 'cross-site') {
      throw new SluiceError('forbidden', 'pages of another site may not do this');
    }
  }

  return {
    check(headers, guarded) {
      if (options.checkHost) checkHost(headers.host);
      if (guarded) checkOrigin(headers);
    },
  };
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  return new URL(origin).host === hostWithPort(host, new URL(origin).protocol);
}

/** Host as URL writes it: lower case, without the scheme's own port. */
function hostWithPort(host: string, protocol: string): string | null {
  const address = `${protocol}//${host}`;
  return URL.canParse(address) ? new URL(address).host : null;
}

function hostName(host: string | undefined): string | null {
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return null;
  const address = `http://${host}`;
  return URL.canParse(address) ? new URL(address).hostname.toLowerCase() : null;
}

function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return isLoopbackAddress(name.replace(/^\[(.*)\]$/, '$1'));
}
