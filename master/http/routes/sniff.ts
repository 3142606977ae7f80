import type { Readable } from 'node:stream';
import { Type } from 'typebox';
import { LIMITS } from '../../../pipeline/limits.ts';
import { sendDocument } from '../early-answer.ts';
import type { RouteContext, Server } from '../route-context.ts';
import { answer, bytesContent, Flag, isOn, PROBLEMS } from '../schemas.ts';
import { uploadBody, watchUpload } from '../upload-body.ts';
import { checkedPlan, compressionHint, ContentEncoding } from '../upload-request.ts';

const SniffQuery = Type.Object({
  complete: Type.Optional(Flag),
  plan: Type.Optional(Type.String({ description: 'plan whose `read` section overrides' })),
});

/** A look at the first bytes of a file: nothing is stored. */
export async function sniffRoutes(app: Server, context: RouteContext): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.post(
    '/api/sniff',
    {
      config: {
        lazyContinue: true,
        documentedBody: bytesContent(
          `First bytes of a file; at most ${LIMITS.sniffBytesMax} are read`,
          'application/octet-stream',
          'text/csv',
        ),
      },
      schema: {
        tags: ['plans'],
        summary: 'Dialect, header, types and first records of a sample',
        description: '`complete=1` says that the sample is the whole file.',
        querystring: SniffQuery,
        headers: Type.Object({ 'content-encoding': ContentEncoding }),
        response: { 200: answer('SniffAnswer', 'What was found'), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const plan = query.plan === undefined || query.plan === '' ? null : checkedPlan(query.plan);
      const watch = watchUpload(request.raw, context.config.uploadIdleMs);
      const body = uploadBody(request.raw);
      watch.guard(body);
      try {
        const { sample, whole } = await readSample(body);
        const complete = whole && isOn(query.complete);
        const hint = compressionHint(request.headers);
        const found = await context.service.sniff(sample, complete, plan, hint);
        return sendDocument(reply, 'application/json; charset=utf-8', found, context.config);
      } finally {
        watch.release();
        body.destroy();
      }
    },
  );
}

/** `whole`: the body ended within the bound. */
async function readSample(body: Readable): Promise<{ sample: Buffer; whole: boolean }> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes > LIMITS.sniffBytesMax) break;
  }
  const sample = Buffer.concat(parts, Math.min(bytes, LIMITS.sniffBytesMax));
  return { sample, whole: bytes <= LIMITS.sniffBytesMax };
}
