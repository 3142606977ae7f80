import { Type } from 'typebox';
import { LIMITS } from '../../../pipeline/limits.ts';
import { displayName } from '../display-name.ts';
import { sendDocument } from '../early-answer.ts';
import type { RouteContext, Server } from '../route-context.ts';
import { answer, bytesContent, PROBLEMS } from '../schemas.ts';
import { uploadBody, watchUpload } from '../upload-body.ts';

const LookupQuery = Type.Object({
  name: Type.String({ minLength: 1, description: 'file name, as plans name it' }),
});

/** Lookup files that come before their job, for clients that send the data as a raw body. */
export async function lookupRoutes(app: Server, context: RouteContext): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.post(
    '/api/lookups',
    {
      config: {
        lazyContinue: true,
        documentedBody: bytesContent(
          `The file: CSV, TSV, NDJSON or JSON, compressed or not, at most ${LIMITS.lookupBytesMax} bytes`,
          'application/octet-stream',
          'text/csv',
        ),
      },
      schema: {
        tags: ['jobs'],
        summary: 'Store a file that plans join to; `?lookup=NAME=KEY` of a job refers to it',
        querystring: LookupQuery,
        response: { 201: answer('StoredLookup', 'What it is stored as'), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const watch = watchUpload(request.raw, context.config.uploadIdleMs);
      const body = uploadBody(request.raw);
      watch.guard(body);
      try {
        const name = displayName(request.query.name, '');
        const stored = await context.service.addLookup(name, body);
        void reply.code(201);
        return sendDocument(reply, 'application/json; charset=utf-8', stored, context.config);
      } finally {
        watch.release();
        body.destroy();
      }
    },
  );
}
