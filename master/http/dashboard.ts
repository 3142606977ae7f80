import { existsSync } from 'node:fs';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyRequest } from 'fastify';
import { SluiceError } from '../../pipeline/errors.ts';
import { pathOf, sendProblem } from './problems.ts';
import type { HttpConfig } from './http-config.ts';
import type { Server } from './route-context.ts';

const YEAR_S = 365 * 24 * 3600;

/** The built dashboard, and the answer to everything that is not found. */
export function serveDashboard(app: Server, config: HttpConfig): void {
  const folder = config.dashboardFolder;
  const served = folder !== null && existsSync(path.join(folder, 'index.html'));
  if (served) {
    void app.register(fastifyStatic, {
      root: path.resolve(folder),
      cacheControl: false,
      setHeaders: (response, file) => {
        // The build puts a hash of the content into the names of assets; index.html names them.
        const hashed = /[\\/]assets[\\/]/.test(file);
        const value = hashed ? `public, max-age=${YEAR_S}, immutable` : 'no-cache';
        response.header('cache-control', value);
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    if (served && isPage(request)) return reply.sendFile('index.html');
    return sendProblem(reply, notFound(request), config);
  });
}

/** The dashboard's own addresses, such as /jobs/<id>, are all the one page. */
function isPage(request: FastifyRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  if (/^\/(api|internal|socket\.io|assets)(\/|$)/.test(pathOf(request))) return false;
  return (request.headers.accept ?? '').includes('text/html');
}

function notFound(request: FastifyRequest): SluiceError {
  return new SluiceError('not-found', `there is no ${request.method} ${pathOf(request)}`, {
    details: { docs: '/api/docs' },
  });
}
