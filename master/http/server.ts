import rateLimit from '@fastify/rate-limit';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type RawServerDefault,
} from 'fastify';
import { invariant } from '../../pipeline/errors.ts';
import type { MasterService } from '../service.ts';
import {
  createAccessControl,
  isLoopbackAddress,
  requiredRole,
  type AccessControl,
} from './access.ts';
import { serveDashboard } from './dashboard.ts';
import { answerExpectations } from './expect-continue.ts';
import { createHostGuard, type HostGuard } from './host-guard.ts';
import type { HttpConfig } from './http-config.ts';
import { attachLive } from './live.ts';
import { describeApi } from './openapi.ts';
import { answerErrors, malformedRequestAnswer, sendFrameworkProblem } from './problems.ts';
import type { RouteContext, Server } from './route-context.ts';
import { chunkRoutes } from './routes/chunks.ts';
import { healthRoutes } from './routes/health.ts';
import { internalBlobRoutes } from './routes/internal-blobs.ts';
import { jobUploadRoutes } from './routes/job-uploads.ts';
import { jobRoutes } from './routes/jobs.ts';
import { lookupRoutes } from './routes/lookups.ts';
import { planRoutes } from './routes/plans.ts';
import { accountRoutes } from './routes/rejects-profile-manifest.ts';
import { resultRoutes } from './routes/results.ts';
import { resumableUploadRoutes } from './routes/resumable-uploads.ts';
import { sessionRoutes } from './routes/session.ts';
import { sniffRoutes } from './routes/sniff.ts';
import { workerRoutes } from './routes/workers.ts';
import { addNamedSchemas } from './schemas.ts';
import { authorizationOf } from './session-cookie.ts';
import { addSecurityHeaders } from './security-headers.ts';

export interface ServerDependencies {
  readonly service: MasterService;
  readonly config: HttpConfig;
  readonly logger?: FastifyBaseLogger;
}

const SERVER_OPTIONS: FastifyHttpOptions<RawServerDefault> = {
  // An upload may take hours; that it goes on is watched for each upload. Headers may not.
  requestTimeout: 0,
  connectionTimeout: 0,
  keepAliveTimeout: 72_000,
  http: { headersTimeout: 60_000 },
  logController: new LogController({ disableRequestLogging: true }),
  // 255 characters of a file name, percent-encoded, fit.
  routerOptions: { ignoreTrailingSlash: true, maxParamLength: 4096 },
  ajv: { customOptions: { allErrors: true, removeAdditional: false, coerceTypes: true } },
  clientErrorHandler(error, socket) {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    socket.end(malformedRequestAnswer(MALFORMED[error.code ?? ''] ?? 400));
  },
};

const MALFORMED: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** How long requests under way may take once the server is asked to stop. */
const CLOSE_WITHIN_MS = 2_000;

/** The master's HTTP and Socket.IO edge, ready to `listen` or to be tested through `inject`. */
export function buildServer(dependencies: ServerDependencies): Server {
  const { service, config, logger } = dependencies;
  const options = logger === undefined ? {} : { loggerInstance: logger };
  const app: Server = fastify({
    ...{ ...SERVER_OPTIONS, ...options },
    frameworkErrors: (error, _request, reply) => sendFrameworkProblem(error, reply, config),
  });
  const access = createAccessControl(config.tokens, config.workerToken);
  const guard = createHostGuard({ ...config, checkHost: access.loopbackOnly });

  // Documents are sent as they are: a serialiser made of schemas would drop what it does not know.
  app.setSerializerCompiler(() => JSON.stringify);
  ignoreBodies(app);
  addNamedSchemas(app);
  answerErrors(app, config);
  addSecurityHeaders(app);
  guardRoutes(app, access, guard);
  limitRates(app, config);
  answerExpectations(app);
  describeApi(app, config.version);
  attachLive(app, { service, access, guard });
  for (const routes of ROUTES) {
    void app.register((scope: Server) => routes(scope, { service, config }));
  }
  void app.register((scope: Server) => sessionRoutes(scope, access));
  serveDashboard(app, config);
  boundClosing(app);
  return app;
}

const ROUTES: readonly ((app: Server, context: RouteContext) => Promise<void>)[] = [
  jobUploadRoutes,
  resumableUploadRoutes,
  jobRoutes,
  resultRoutes,
  chunkRoutes,
  accountRoutes,
  sniffRoutes,
  planRoutes,
  lookupRoutes,
  workerRoutes,
  healthRoutes,
  internalBlobRoutes,
];

/** Calls without a body of their own drop one that is sent, as `{}` often is. */
function ignoreBodies(app: Server): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    done(null);
  });
}

/** An upload may go on for hours: its client goes on with it, or sends it again, after the restart. */
function boundClosing(app: Server): void {
  let timer: NodeJS.Timeout | undefined;
  app.addHook('preClose', async () => {
    timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_WITHIN_MS);
  });
  app.addHook('onClose', async () => clearTimeout(timer));
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Host and origin first, then (after the rate limit) the token; every route has its role. */
function guardRoutes(app: Server, access: AccessControl, guard: HostGuard): void {
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      invariant(requiredRole(one, url) !== null, `the route ${one} ${url} has no role`);
    }
  });
  app.addHook('onRequest', async ({ headers, method, routeOptions }) => {
    if (routeOptions.url?.startsWith('/internal/') === true) return;
    guard.check(headers, !SAFE_METHODS.has(method));
  });
  app.addHook('preParsing', async ({ headers, socket, method, routeOptions, is404 }) => {
    if (is404 || routeOptions.url === undefined) return;
    const role = requiredRole(method, routeOptions.url);
    invariant(role !== null, `the route ${routeOptions.url} has no role`);
    access.check(role, {
      authorization: authorizationOf(headers),
      remoteAddress: socket.remoteAddress,
    });
  });
}

/** Counts requests, not bytes. Loopback is the user's own; workers fetch as fast as they compute. */
function limitRates(app: Server, config: HttpConfig): void {
  void app.register(rateLimit, {
    max: config.rateLimitPerMinute,
    timeWindow: 60_000,
    allowList: ({ socket, routeOptions }) =>
      isLoopbackAddress(socket.remoteAddress) ||
      routeOptions.url?.startsWith('/internal/') === true,
  });
}
