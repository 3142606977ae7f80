import { createHash, timingSafeEqual } from 'node:crypto';
import { SluiceError } from '../../pipeline/errors.ts';

/** Who may call what: bearer tokens with roles, and the one table of roles per route. */

export type Role = 'viewer' | 'operator' | 'admin' | 'worker';

export interface AccessToken {
  readonly token: string;
  readonly role: Role;
}

/** Least role of each route; 'open' needs no token. A route that is not here cannot be registered. */
export const ROUTE_ACCESS: Readonly<Record<string, Role | 'open'>> = {
  'POST /api/jobs': 'operator',
  'PUT /api/jobs': 'operator',
  'PUT /api/jobs/:filename': 'operator',
  'OPTIONS /api/uploads': 'open',
  'POST /api/uploads': 'operator',
  'POST /api/lookups': 'operator',
  'HEAD /api/uploads/:id': 'operator',
  'PATCH /api/uploads/:id': 'operator',
  'POST /api/uploads/:id': 'operator',
  'DELETE /api/uploads/:id': 'operator',
  'GET /api/jobs': 'viewer',
  'GET /api/jobs/:id': 'viewer',
  'DELETE /api/jobs/:id': 'admin',
  'POST /api/jobs/:id/cancel': 'operator',
  'POST /api/jobs/:id/pause': 'operator',
  'POST /api/jobs/:id/resume': 'operator',
  'POST /api/jobs/:id/retry': 'operator',
  'GET /api/jobs/:id/records': 'viewer',
  'GET /api/jobs/:id/result': 'viewer',
  'GET /api/jobs/:id/rejects': 'viewer',
  'GET /api/jobs/:id/profile': 'viewer',
  'GET /api/jobs/:id/manifest': 'viewer',
  'GET /api/jobs/:id/chunks': 'viewer',
  'GET /api/jobs/:id/chunks/:index/bytes': 'viewer',
  'POST /api/sniff': 'operator',
  'POST /api/plans/check': 'viewer',
  'GET /api/workers': 'viewer',
  'GET /metrics': 'viewer',
  'POST /api/session': 'open',
  'DELETE /api/session': 'open',
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /internal/blobs/*': 'worker',
  'PUT /internal/blobs/*': 'worker',
};

/** Pages, scripts and the API's description: nothing of the user's data. */
const OPEN_PREFIXES = ['/api/docs', '/*'];

const RANK: Readonly<Record<Role, number>> = { viewer: 1, operator: 2, admin: 3, worker: 0 };

/**
 * Least role of a registered route; null when the table does not know it. HEAD counts as GET where
 * it has no entry of its own.
 */
export function requiredRole(method: string, url: string): Role | 'open' | null {
  const known =
    ROUTE_ACCESS[`${method} ${url}`] ??
    (method === 'HEAD' ? ROUTE_ACCESS[`GET ${url}`] : undefined);
  if (known !== undefined) return known;
  return OPEN_PREFIXES.some((prefix) => url.startsWith(prefix)) ? 'open' : null;
}

export interface Credentials {
  /** Value of the Authorization header. */
  readonly authorization: string | undefined;
  readonly remoteAddress: string | undefined;
}

export interface AccessControl {
  /** Passes, or throws `unauthorized` or `forbidden`. */
  check(required: Role | 'open', credentials: Credentials): void;
  /** True when callers are told apart by their address only. */
  readonly loopbackOnly: boolean;
}

export function createAccessControl(
  tokens: readonly AccessToken[],
  workerToken: string,
): AccessControl {
  const entries = [...tokens, { token: workerToken, role: 'worker' as const }]
    .filter(({ token }) => token !== '')
    .map(({ token, role }) => ({ digest: sha256(token), role }));
  const loopbackOnly = tokens.length === 0;

  function roleOf({ authorization, remoteAddress }: Credentials): Role | null {
    if (authorization === undefined) {
      return loopbackOnly && isLoopbackAddress(remoteAddress) ? 'admin' : null;
    }
    const token = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
    return token === undefined ? null : roleOfDigest(sha256(token));
  }

  /** Compares with every entry, each in constant time. */
  function roleOfDigest(digest: Buffer): Role | null {
    let role: Role | null = null;
    for (const entry of entries) {
      if (timingSafeEqual(entry.digest, digest)) role = entry.role;
    }
    return role;
  }

  return {
    loopbackOnly,
    check(required, credentials) {
      if (required === 'open') return;
      const role = roleOf(credentials);
      if (role === null) {
        throw new SluiceError('unauthorized', 'send "Authorization: Bearer <token>"');
      }
      const allowed =
        required === 'worker' || role === 'worker'
          ? role === required
          : RANK[role] >= RANK[required];
      if (!allowed) {
        throw new SluiceError('forbidden', `this call needs the role ${required}`, {
          details: { role, required },
        });
      }
    },
  };
}

export function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
