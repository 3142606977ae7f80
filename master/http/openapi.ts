import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { ERROR_CODES } from '../../pipeline/errors.ts';
import { CONTENT_SECURITY_POLICY } from './security-headers.ts';
import { requiredRole } from './access.ts';
import type { Server } from './route-context.ts';

/** OpenAPI 3.1 of every route, at /api/docs/json, and its reader at /api/docs. */
export function describeApi(app: Server, version: string): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Sluice', version, description: description() },
      tags: [
        { name: 'jobs', description: 'Create, list and steer jobs' },
        { name: 'uploads', description: 'Inputs that come in parts, by the tus protocol 1.0' },
        { name: 'results', description: 'Records, files and accounts of a job' },
        { name: 'plans', description: 'Look before you leap' },
        { name: 'workers' },
        { name: 'health' },
        { name: 'internal', description: 'For workers on other machines' },
      ],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `definition-${index}`,
    },
    transform: ({ schema, url, route }) => {
      const method = Array.isArray(route.method) ? (route.method[0] ?? 'GET') : route.method;
      const role = requiredRole(method, route.url);
      const body = route.config?.documentedBody;
      return {
        url,
        schema: {
          ...schema,
          ...(body === undefined ? {} : { body }),
          ...(role === null || role === 'open' ? {} : { security: [{ bearer: [] }, {}] }),
        },
      };
    },
  });
  void app.register(swaggerUi, {
    routePrefix: '/api/docs',
    staticCSP: CONTENT_SECURITY_POLICY,
    uiConfig: { docExpansion: 'list', deepLinking: true },
  });
}

function description(): string {
  const codes = Object.entries(ERROR_CODES).map(
    ([code, { status, title, retryable }]) =>
      `| <a id="problem-${code}"></a>\`${code}\` | ${status} | ${title} | ${retryable ? 'yes' : 'no'} |`,
  );
  return [
    'Streams big CSV, TSV, NDJSON and JSON files into chunks, processes them on any number of',
    'workers, and gives the result in file order. Times are ISO 8601 UTC, sizes are bytes.',
    '',
    'Errors are problem details (RFC 9457); `type` is `/api/docs#problem-<code>`:',
    '',
    '| code | status | meaning | may succeed later |',
    '| --- | --- | --- | --- |',
    ...codes,
  ].join('\n');
}
