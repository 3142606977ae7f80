import multipart from '@fastify/multipart';
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { SluiceError } from '../../../pipeline/errors.ts';
import { LIMITS } from '../../../pipeline/limits.ts';
import type { Job } from '../../../pipeline/protocol/index.ts';
import type { ReceiveRequest } from '../../service.ts';
import { sendDocument } from '../early-answer.ts';
import { sendContinue } from '../expect-continue.ts';
import { classifyJson, type ResumableRequest } from '../json-upload.ts';
import { readMultipart } from '../multipart-upload.ts';
import type { RouteContext, Server } from '../route-context.ts';
import { answer, bytesContent, PROBLEMS } from '../schemas.ts';
import { UPLOADS_PATH } from '../tus/serve-upload.ts';
import { uploadBody, uploadTooLarge, watchUpload, type UploadWatch } from '../upload-body.ts';
import {
  checkedPlan,
  compressionHint,
  ContentEncoding,
  declaredBytes,
  formatHint,
  idempotencyKey,
  lookupsOfQuery,
  planOfRequest,
  uploadName,
} from '../upload-request.ts';

const UploadQuery = Type.Object({
  name: Type.Optional(Type.String({ description: 'shown name of the job' })),
  plan: Type.Optional(Type.String({ description: 'plan as YAML or JSON text' })),
  format: Type.Optional(
    Type.Unsafe<'csv' | 'ndjson' | 'json'>({ type: 'string', enum: ['csv', 'ndjson', 'json'] }),
  ),
  lookup: Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.String())], {
      description: 'NAME=KEY: a file that the plan joins to, by the key of POST /api/lookups',
    }),
  ),
});
type UploadQuery = Static<typeof UploadQuery>;

const UploadHeaders = Type.Object({
  'x-sluice-plan': Type.Optional(Type.String({ description: 'plan, percent-encoded UTF-8' })),
  'idempotency-key': Type.Optional(
    Type.String({ description: 'the same key gives the first job again' }),
  ),
  'content-encoding': ContentEncoding,
});

const DATA_TYPES = [
  'text/csv',
  'text/tab-separated-values',
  'application/x-ndjson',
  'application/json',
  'application/gzip',
  'application/zstd',
  'application/octet-stream',
];

const DATA = bytesContent('The data itself', ...DATA_TYPES);
const FORM_OR_DATA = bytesContent(
  'A form, or the data itself',
  'multipart/form-data',
  ...DATA_TYPES,
);

/** Creating jobs: bytes flow from the client's socket into the master, with backpressure. */
export async function jobUploadRoutes(app: Server, context: RouteContext): Promise<void> {
  // The body is a stream whatever its type says; the master looks at the bytes.
  app.removeAllContentTypeParsers();
  await app.register(multipart);
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  const upload = {
    schema: {
      tags: ['jobs'],
      querystring: UploadQuery,
      headers: UploadHeaders,
      response: {
        201: answer('Job', 'The job; its input has arrived and is durable'),
        ...PROBLEMS,
      },
    },
  } as const;

  app.post(
    '/api/jobs',
    {
      config: { lazyContinue: true, documentedBody: FORM_OR_DATA },
      schema: {
        ...upload.schema,
        summary: 'Create a job from a form, or from the raw body',
        description: UPLOAD_TEXT,
      },
    },
    (request, reply) =>
      request.isMultipart()
        ? receiveForm(request, reply, context)
        : receiveRaw(request, reply, context, request.query, undefined),
  );

  const config = { lazyContinue: true, documentedBody: DATA };
  app.put(
    '/api/jobs',
    { config, schema: { ...upload.schema, summary: 'Create a job from the raw body' } },
    (request, reply) => receiveRaw(request, reply, context, request.query, undefined),
  );
  app.put(
    '/api/jobs/:filename',
    {
      config,
      schema: {
        ...upload.schema,
        summary: 'Create a job from the raw body, as `curl -T FILE http://HOST/api/jobs/` does',
        params: Type.Object({ filename: Type.String() }),
      },
    },
    (request, reply) => receiveRaw(request, reply, context, request.query, request.params.filename),
  );
}

const UPLOAD_TEXT = `A form has the fields \`plan\` and \`name\` (and \`size\`, the file's bytes), a
part \`lookup\` with its file name for each file that the plan joins to, then one \`file\`, in this order. A raw body is the data itself; its plan and name stand in the URL
or in X-Sluice-Plan. \`application/json\` is data too, unless the whole body is one object of just
\`name\`, \`plan\` and perhaps \`size\` and \`lookups\` (\`NAME=KEY\`): that creates a job whose input comes later, by the tus
protocol, at \`/api/uploads/{id of the job}\`. \`?format=json\` says that it is data.`;

async function receiveForm(
  request: FastifyRequest,
  reply: FastifyReply,
  context: RouteContext,
): Promise<FastifyReply> {
  const key = idempotencyKey(request.headers);
  declaredBytes(request.headers);
  sendContinue(request.raw);
  return await watched(request, context, async (watch) => {
    const form = await readMultipart(request, (name, body) =>
      context.service.addLookup(name, body),
    );
    watch.guard(form.body);
    const hint = formatHint(form.contentType, form.name ?? '');
    const upload = {
      name: uploadName(form.name, hint),
      plan: form.plan,
      lookups: form.lookups,
      bytesTotal: form.bytesTotal,
      formatHint: hint,
      idempotencyKey: key,
      onCreated: logCreated(request),
    };
    const job = await receiveBody(context, upload, form.body, watch.signal);
    return sendCreated(reply, job, context);
  });
}

async function receiveRaw(
  request: FastifyRequest,
  reply: FastifyReply,
  context: RouteContext,
  query: UploadQuery,
  filename: string | undefined,
): Promise<FastifyReply> {
  const name = query.name ?? filename;
  const contentType = request.headers['content-type'];
  const hint = query.format ?? formatHint(contentType, name ?? '');
  const upload: ReceiveRequest = {
    name: uploadName(name, hint),
    plan: planOfRequest(query.plan, request.headers),
    bytesTotal: declaredBytes(request.headers),
    formatHint: hint,
    compressionHint: compressionHint(request.headers),
    idempotencyKey: idempotencyKey(request.headers),
    lookups: lookupsOfQuery(query.lookup),
    onCreated: logCreated(request),
  };
  return await watched(request, context, async (watch) => {
    let body = uploadBody(request.raw);
    watch.guard(body);
    if (mayBeResumable(request, query, filename)) {
      const json = await classifyJson(body);
      if (json.kind === 'resumable') {
        return await createResumable(request, reply, context, json.request);
      }
      body = json.body;
      watch.guard(body);
    }
    const job = await receiveBody(context, upload, body, watch.signal);
    return sendCreated(reply, job, context);
  });
}

/** What was wrong with the body says more than what the master made of it. */
async function receiveBody(
  context: RouteContext,
  upload: ReceiveRequest,
  body: Readable,
  signal: AbortSignal,
): Promise<Job> {
  try {
    return await context.service.receive(upload, body, signal);
  } catch (error) {
    throw body.errored instanceof SluiceError ? body.errored : error;
  }
}

async function watched<T>(
  request: FastifyRequest,
  context: RouteContext,
  receive: (watch: UploadWatch) => Promise<T>,
): Promise<T> {
  const watch = watchUpload(request.raw, context.config.uploadIdleMs);
  try {
    return await receive(watch);
  } finally {
    watch.release();
    request.raw.unpipe(); // A form that is not read to its end must not hold what is dropped now.
  }
}

/** Whether nothing but the body itself can tell data from a request for a resumable upload. */
function mayBeResumable(
  request: FastifyRequest,
  query: UploadQuery,
  filename: string | undefined,
): boolean {
  const said = [query.format, query.name, query.plan, filename, request.headers['x-sluice-plan']];
  return (
    said.every((word) => word === undefined) &&
    /^application\/json\b/i.test(request.headers['content-type'] ?? '')
  );
}

function sendCreated(reply: FastifyReply, job: Job, context: RouteContext): FastifyReply {
  void reply.code(201).header('location', `/api/jobs/${encodeURIComponent(job.id)}`);
  return sendDocument(reply, 'application/json; charset=utf-8', job, context.config);
}

/** The job is there, and waits for its input at the address of the same id. */
async function createResumable(
  request: FastifyRequest,
  reply: FastifyReply,
  { service, config }: RouteContext,
  { name, plan, size, lookups }: ResumableRequest,
): Promise<FastifyReply> {
  if (size !== null && size > LIMITS.uploadBytesMax) throw uploadTooLarge();
  const hint = formatHint(undefined, name);
  const job = await service.resumable.create({
    name: uploadName(name, hint),
    plan: checkedPlan(plan),
    bytesTotal: size,
    formatHint: hint,
    idempotencyKey: idempotencyKey(request.headers),
    lookups: lookupsOfQuery(lookups),
    metadata: null,
  });
  void reply.header('link', `<${UPLOADS_PATH}/${encodeURIComponent(job.id)}>; rel="upload"`);
  return sendCreated(reply, job, { service, config });
}

function logCreated(request: FastifyRequest): (job: Job) => void {
  return (job) => request.log.info({ jobId: job.id }, 'receiving an input');
}
