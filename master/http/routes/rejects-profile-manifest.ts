import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { attachment } from '../content-disposition.ts';
import type { RejectFormat } from '../../../pipeline/result/reject-lines.ts';
import { inputFileType } from '../../../pipeline/result/rejects-as-input.ts';
import { REJECT_TYPES, rejectFile, rejectsAsInput } from '../reject-download.ts';
import type { RouteContext, Server } from '../route-context.ts';
import { answer, JobParams, PageQuery, PROBLEMS } from '../schemas.ts';

const RejectQuery = Type.Object({
  ...PageQuery.properties,
  format: Type.Unsafe<RejectFormat | 'json' | 'input'>({
    type: 'string',
    enum: ['json', 'csv', 'ndjson', 'input'],
    default: 'json',
    description:
      'json is a page; csv and ndjson are a file of all rejects; input is the records as they stood, ' +
      'to be corrected and uploaded again',
  }),
});

/** What became of the input: records not taken, columns' profiles, the account with its hashes. */
export async function accountRoutes(app: Server, { service }: RouteContext): Promise<void> {
  const params = JobParams;

  app.get(
    '/api/jobs/:id/rejects',
    {
      schema: {
        tags: ['results'],
        summary: 'Records that were not taken, with place and reason',
        params,
        querystring: RejectQuery,
        response: { 200: answer('RejectPage', 'A page of rejects'), ...PROBLEMS },
      },
    },
    async ({ params, query }, reply) => {
      if (query.format === 'json') {
        return await service.rejects(params.id, query.offset, query.limit);
      }
      const job = service.getJob(params.id);
      const { id, name } = job;
      if (query.format === 'input') {
        const { type, extension } = inputFileType(job);
        void reply
          .type(type)
          .header('cache-control', 'no-cache')
          .header('content-disposition', attachment(`${name}.rejects.${extension}`));
        return reply.send(Readable.from(rejectsAsInput(service, id), { objectMode: false }));
      }
      const file = Readable.from(rejectFile(service, id, query.format), { objectMode: false });
      void reply
        .type(REJECT_TYPES[query.format])
        .header('cache-control', 'no-cache')
        .header('content-disposition', attachment(`${name}.rejects.${query.format}`));
      return reply.send(file);
    },
  );

  app.get(
    '/api/jobs/:id/profile',
    {
      schema: {
        tags: ['results'],
        summary: 'Profile of each column, growing while the job runs',
        params,
        response: { 200: answer('Profile', 'The profile'), ...PROBLEMS },
      },
    },
    async (request) => await service.profile(request.params.id),
  );

  app.get(
    '/api/jobs/:id/manifest',
    {
      schema: {
        tags: ['results'],
        summary: 'What came in, what became of it, and the hashes that prove it',
        params,
        response: { 200: answer('Manifest', 'The manifest'), ...PROBLEMS },
      },
    },
    async (request) => await service.manifest(request.params.id),
  );
}
