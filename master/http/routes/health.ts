import { Type } from 'typebox';
import { SluiceError } from '../../../pipeline/errors.ts';
import type { MasterService } from '../../service.ts';
import { createMetrics } from '../metrics.ts';
import type { RouteContext, Server } from '../route-context.ts';
import { bytesContent, PROBLEMS } from '../schemas.ts';

/** For supervisors and Prometheus. */
export async function healthRoutes(app: Server, { service }: RouteContext): Promise<void> {
  app.get(
    '/healthz',
    {
      schema: {
        tags: ['health'],
        summary: 'The process is alive',
        response: { 200: Type.Object({ status: Type.Literal('ok') }, { description: 'Alive' }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags: ['health'],
        summary: 'Jobs can be taken and worked on',
        response: {
          200: Type.Object({ status: Type.Literal('ready') }, { description: 'Ready' }),
          503: PROBLEMS['5xx'],
        },
      },
    },
    async () => {
      const missing = service.readiness();
      if (missing !== null) throw notReady(service, missing);
      return { status: 'ready' as const };
    },
  );

  const metrics = createMetrics(service);
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['health'],
        summary: 'Metrics as Prometheus text',
        response: { 200: bytesContent('Metrics', 'text/plain') },
      },
    },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .serializer((text: string) => text)
        .send(await metrics.metrics()),
  );
}

function notReady(service: MasterService, missing: string): SluiceError {
  const { queue, workers } = service.workers();
  const details = { missing };
  if (!queue.connected) return new SluiceError('broker-unavailable', missing, { details });
  const alive = workers.some(({ state }) => state === 'idle' || state === 'working');
  return new SluiceError(alive ? 'master-unavailable' : 'no-workers', missing, { details });
}
