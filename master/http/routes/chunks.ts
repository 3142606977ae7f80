import { Type } from 'typebox';
import { attachment } from '../content-disposition.ts';
import type { RouteContext, Server } from '../route-context.ts';
import { answer, bytesContent, Cursor, JobParams, PROBLEMS } from '../schemas.ts';

const ChunkQuery = Type.Object({
  cursor: Type.Optional(Cursor),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 200 }),
});

const ChunkParams = Type.Object({
  ...JobParams.properties,
  index: Type.Integer({ minimum: 0 }),
});

/** The chunks of a job, and the bytes of one. */
export async function chunkRoutes(app: Server, { service }: RouteContext): Promise<void> {
  const params = JobParams;

  app.get(
    '/api/jobs/:id/chunks',
    {
      schema: {
        tags: ['results'],
        summary: 'Chunks in file order',
        params,
        querystring: ChunkQuery,
        response: { 200: answer('ChunkPage', 'A page of chunks'), ...PROBLEMS },
      },
    },
    async ({ params, query }) => service.chunks(params.id, query.cursor ?? null, query.limit),
  );

  app.get(
    '/api/jobs/:id/chunks/:index/bytes',
    {
      schema: {
        tags: ['results'],
        summary: "A chunk's bytes as workers get them, for looking at one that failed",
        params: ChunkParams,
        response: {
          200: bytesContent('UTF-8, whole records, no header', 'application/octet-stream'),
          ...PROBLEMS,
        },
      },
    },
    async ({ params }, reply) => {
      const bytes = await service.chunkBytes(params.id, params.index);
      return await reply
        .headers({
          'content-type': 'application/octet-stream',
          'content-disposition': attachment(`${params.id}.chunk-${params.index}`),
        })
        .send(bytes);
    },
  );
}
