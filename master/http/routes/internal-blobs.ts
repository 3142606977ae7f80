import { Type } from 'typebox';
import { SluiceError } from '../../../pipeline/errors.ts';
import { LIMITS } from '../../../pipeline/limits.ts';
import { parseByteRange } from '../byte-range.ts';
import { uploadBody, watchUpload } from '../upload-body.ts';
import { sendProblem } from '../problems.ts';
import type { RouteContext, Server } from '../route-context.ts';
import { bytesContent, PROBLEMS } from '../schemas.ts';

/** The largest output of a task, with its report and partial. */
const BLOB_BYTES_MAX = LIMITS.joinOutputBytesMax + 32 * 1024 * 1024;

const BLOB_NAME = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+){0,2}$/;

const BlobParams = Type.Object({ '*': Type.String({ description: 'such as chunks/<sha256>' }) });

/** The master's blob store for workers on other machines. */
export async function internalBlobRoutes(app: Server, context: RouteContext): Promise<void> {
  const { blobs } = context.service;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.route({
    method: ['GET', 'HEAD'],
    url: '/internal/blobs/*',
    schema: {
      tags: ['internal'],
      summary: 'A stored object, whole or one range',
      params: BlobParams,
      response: {
        200: bytesContent('The object', 'application/octet-stream'),
        206: bytesContent('The range', 'application/octet-stream'),
        ...PROBLEMS,
      },
    },
    handler: async (request, reply) => {
      const name = blobName(request.params['*']);
      if (!(await blobs.has(name))) {
        const missing = new SluiceError('blob-missing', 'no such object', { details: { name } });
        return sendProblem(reply, missing, context.config, 404);
      }
      void reply.headers({ 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' });
      if (request.method === 'HEAD') return reply.send();
      const range = parseByteRange(request.headers.range, Number.MAX_SAFE_INTEGER);
      if (range.kind !== 'part') return reply.send(await blobs.get(name));
      const bytes = await blobs.getRange(name, range.start, range.end);
      void reply.header('content-range', contentRange(range.start, bytes.byteLength));
      return reply.code(206).send(bytes);
    },
  });

  app.put(
    '/internal/blobs/*',
    {
      config: {
        lazyContinue: true,
        documentedBody: bytesContent('The object', 'application/octet-stream'),
      },
      schema: {
        tags: ['internal'],
        summary: 'Store an object; `If-None-Match: *` asks for 412 where the name is taken',
        params: BlobParams,
        response: {
          201: Type.Null({ description: 'Stored' }),
          204: Type.Null({ description: 'Was stored already' }),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const name = blobName(request.params['*']);
      const onlyNew = request.headers['if-none-match'] === '*';
      if (await blobs.has(name)) return taken();
      const parts = await readBlob(request.raw, context.config.uploadIdleMs);
      const { created } = await blobs.put(name, parts);
      return created ? reply.code(201).send(null) : taken();

      function taken() {
        if (!onlyNew) return reply.code(204).send(null);
        const conflict = new SluiceError('conflict', 'the object is stored already', {
          details: { name },
        });
        return sendProblem(reply, conflict, context.config, 412);
      }
    },
  );
}

function blobName(text: string): string {
  const segments = text.split('/');
  if (BLOB_NAME.test(text) && segments.every((segment) => !/^\.+$/.test(segment))) return text;
  throw new SluiceError('bad-request', 'not the name of an object', { details: { name: text } });
}

async function readBlob(
  request: Parameters<typeof uploadBody>[0],
  idleMs: number,
): Promise<Uint8Array[]> {
  const watch = watchUpload(request, idleMs);
  const body = uploadBody(request);
  watch.guard(body);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > BLOB_BYTES_MAX) throw blobTooLarge();
      parts.push(chunk);
    }
    return parts;
  } finally {
    watch.release();
  }
}

function blobTooLarge(): SluiceError {
  return new SluiceError('limit-exceeded', 'the object is too large', {
    details: { bytesMax: BLOB_BYTES_MAX },
  });
}

/** The store does not tell sizes. An empty answer means that the range begins after the end. */
function contentRange(start: number, length: number): string {
  if (length > 0) return `bytes ${start}-${start + length - 1}/*`;
  throw new SluiceError('range-not-satisfiable', 'the object ends before the range');
}
