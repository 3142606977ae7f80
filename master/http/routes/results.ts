import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { SluiceError } from '../../../pipeline/errors.ts';
import type { Job } from '../../../pipeline/protocol/index.ts';
import type { ConvertedResult } from '../../aggregator/rewritten-result.ts';
import type { ResultView } from '../../service.ts';
import { parseByteRange } from '../byte-range.ts';
import { attachment } from '../content-disposition.ts';
import type { RouteContext, Server } from '../route-context.ts';
import { answer, bytesContent, Flag, isOn, JobParams, PageQuery, PROBLEMS } from '../schemas.ts';

const RESULT_TYPES = [
  ...['text/csv', 'application/x-ndjson', 'application/json', 'application/vnd.apache.parquet'],
];

const FORMAT_OF_TYPE: Readonly<Record<string, string>> = {
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/json': 'json',
  'application/vnd.apache.parquet': 'parquet',
};

/** What came out: records by page, the result as a file. */
export async function resultRoutes(app: Server, { service }: RouteContext): Promise<void> {
  const params = JobParams;

  app.get(
    '/api/jobs/:id/records',
    {
      schema: {
        tags: ['results'],
        summary: 'A page of output records, also while the job runs',
        params,
        querystring: PageQuery,
        response: { 200: answer('RecordPage', 'Records as text'), ...PROBLEMS },
      },
    },
    async ({ params, query }) => await service.records(params.id, query.offset, query.limit),
  );

  app.route({
    method: ['GET', 'HEAD'],
    url: '/api/jobs/:id/result',
    schema: {
      tags: ['results'],
      summary: 'The result as it stands now; with follow=1 until it is complete',
      params,
      querystring: Type.Object({
        format: Type.Optional(
          Type.String({
            maxLength: 32,
            description:
              'csv, ndjson or json: made of a finished result where the plan says another',
          }),
        ),
        follow: Type.Optional(Flag),
      }),
      headers: Type.Object({
        range: Type.Optional(Type.String({ description: 'one range of bytes' })),
      }),
      response: {
        200: bytesContent(
          'All bytes there are; X-Sluice-Complete says if more come',
          ...RESULT_TYPES,
        ),
        206: bytesContent('The range asked for', ...RESULT_TYPES),
        ...PROBLEMS,
      },
    },
    handler: async (request, reply) => {
      const view = service.result(request.params.id);
      const { format } = request.query;
      if (format !== undefined && format !== '' && format !== formatOf(view)) {
        return convert(request, reply, service.convertedResult(request.params.id, format));
      }
      if (!isOn(request.query.follow)) assertResult(service.getJob(request.params.id), view);
      describe(reply, view);
      return isOn(request.query.follow)
        ? follow(request, reply, view)
        : await sendBytes(request, reply, view);
    },
  });
}

/** An empty file would look like the result of a table without records. */
function assertResult({ status, error }: Job, { bytes }: ResultView): void {
  if (status !== 'failed' || bytes > 0) return;
  const why = error === null ? '' : `: ${error.message}`;
  throw new SluiceError('conflict', `the job failed and has no result${why}`, {
    details: { status, error },
  });
}

function formatOf(view: ResultView): string {
  const type = view.contentType.split(';', 1)[0]?.trim() ?? '';
  return FORMAT_OF_TYPE[type] ?? type;
}

/** A format that the plan did not ask for is made on the way: whole, and without a length. */
function convert(
  request: FastifyRequest,
  reply: FastifyReply,
  { contentType, filename, bytes }: ConvertedResult,
): FastifyReply {
  void reply.headers({
    'content-type': contentType,
    'content-disposition': attachment(filename),
    'accept-ranges': 'none',
    'cache-control': 'no-cache',
    'x-sluice-complete': 'true',
  });
  if (request.method === 'HEAD') return reply.send();
  return reply.send(Readable.from(bytes, { objectMode: false }));
}

function describe(reply: FastifyReply, view: ResultView): void {
  void reply.headers({
    'content-type': view.contentType,
    'content-disposition': attachment(view.filename),
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache',
    'x-sluice-complete': String(view.complete),
  });
  if (view.etag !== null) void reply.header('etag', quotedTag(view.etag));
}

/** Whole, part, or nothing new. While the result grows its whole length is not known: `*`. */
async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  view: ResultView,
): Promise<FastifyReply> {
  if (isUnchanged(request, view)) return reply.code(304).send();
  const { bytes, complete } = view;
  const range = parseByteRange(applicableRange(request, view), bytes);
  if (range.kind === 'unsatisfiable') {
    void reply.header('content-range', `bytes */${bytes}`);
    for (const name of ['content-disposition', 'etag']) void reply.removeHeader(name);
    throw new SluiceError('range-not-satisfiable', `the result has ${bytes} bytes now`, {
      details: { bytes, complete },
    });
  }
  const { start, end } = range.kind === 'part' ? range : { start: 0, end: bytes };
  await checkBefore(reply, view, start, end);
  if (range.kind === 'part') {
    const total = complete ? String(bytes) : '*';
    void reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${total}`);
  }
  void reply.header('content-length', end - start);
  if (request.method === 'HEAD') return reply.send();
  return start === end ? reply.send('') : reply.send(view.stream(start, end));
}

/** What is damaged is said in words, as long as no byte was sent; later the connection ends early. */
async function checkBefore(
  reply: FastifyReply,
  view: ResultView,
  start: number,
  end: number,
): Promise<void> {
  try {
    await view.check(start, end);
  } catch (thrown) {
    for (const name of ['content-disposition', 'accept-ranges', 'etag'])
      void reply.removeHeader(name);
    throw thrown;
  }
}

function follow(request: FastifyRequest, reply: FastifyReply, view: ResultView): FastifyReply {
  void reply.header('accept-ranges', 'none').removeHeader('etag');
  if (request.method === 'HEAD') return reply.send();
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return reply.send(view.follow(0, controller.signal));
}

/** RFC 9110 13.1.5: a range counts only for the representation the client has a part of. */
function applicableRange(request: FastifyRequest, view: ResultView): string | undefined {
  const condition = header(request.raw, 'if-range');
  if (condition === undefined) return request.headers.range;
  const matches = view.etag !== null && condition === quotedTag(view.etag);
  return matches ? request.headers.range : undefined;
}

function isUnchanged(request: FastifyRequest, view: ResultView): boolean {
  const condition = header(request.raw, 'if-none-match');
  if (condition === undefined || view.etag === null) return false;
  const tags = condition.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(quotedTag(view.etag));
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function quotedTag(etag: string): string {
  return /^(W\/)?"/.test(etag) ? etag : `"${etag}"`;
}
