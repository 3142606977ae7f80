import type { RouteContext, Server } from '../route-context.ts';
import { answer, PROBLEMS } from '../schemas.ts';

/** Who works, and on which queue. */
export async function workerRoutes(app: Server, { service }: RouteContext): Promise<void> {
  app.get(
    '/api/workers',
    {
      schema: {
        tags: ['workers'],
        summary: 'Workers and the queue',
        response: { 200: answer('WorkerList', 'All known workers'), ...PROBLEMS },
      },
    },
    async () => service.workers(),
  );
}
