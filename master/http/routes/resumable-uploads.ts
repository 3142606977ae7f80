import { Type } from 'typebox';
import type { RouteContext, Server } from '../route-context.ts';
import { bytesContent, JobParams, PROBLEMS } from '../schemas.ts';
import { serveUpload, UPLOADS_PATH, type TusContext } from '../tus/serve-upload.ts';
import { PART_TYPE } from '../tus/tus-request.ts';
import { UploadLocks } from '../tus/upload-locks.ts';

const Version = Type.String({ description: '1.0.0' });
const PART = bytesContent('The next bytes of the file', PART_TYPE);

const CreationHeaders = Type.Object({
  'tus-resumable': Type.Optional(Version),
  'upload-length': Type.Optional(Type.String({ description: 'bytes of the whole file' })),
  'upload-defer-length': Type.Optional(Type.String({ description: '1: the length comes later' })),
  'upload-metadata': Type.Optional(
    Type.String({ description: 'pairs of a key and a value in base64: see the description' }),
  ),
  'idempotency-key': Type.Optional(
    Type.String({ description: 'the same key gives the first upload again' }),
  ),
});

const PartHeaders = Type.Object({
  'tus-resumable': Type.Optional(Version),
  'upload-offset': Type.Optional(Type.String({ description: 'where the bytes belong' })),
  'upload-length': Type.Optional(Type.String({ description: 'when it was deferred' })),
  'upload-checksum': Type.Optional(
    Type.String({ description: 'sha1, sha256, sha512 or md5, a space, and the digest in base64' }),
  ),
});

const CREATE_TEXT = `Creates an upload and the job that it feeds, which have the same id. Metadata:
\`filename\`, \`filetype\` and \`plan\` (YAML or JSON); or \`jobId\`, of a job that was created by
POST /api/jobs with a JSON object, whose plan may be longer than a header. A body of the type
${PART_TYPE} is the first part.`;

const PATCH_TEXT = `The answer tells the new offset; all bytes before it are on the disk, and stay
there if the server is killed. The last part is answered when the whole input is in chunks.`;

const TAGS = ['uploads'];

const answering = (status: number, description: string) =>
  ({ [status]: Type.Null({ description }), ...PROBLEMS }) as const;

/** Resumable uploads by the tus protocol 1.0 (https://tus.io/protocols/resumable-upload). */
export async function resumableUploadRoutes(app: Server, context: RouteContext): Promise<void> {
  // Bodies are streams, read under the upload's lock.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const tus: TusContext = { ...context, locks: new UploadLocks() };
  creationRoutes(app, tus);
  partRoutes(app, tus);
}

const config = { lazyContinue: true };
const withPart = { lazyContinue: true, documentedBody: PART };

function creationRoutes(app: Server, tus: TusContext): void {
  app.options(
    UPLOADS_PATH,
    {
      config,
      schema: {
        ...{
          tags: TAGS,
          response: answering(204, 'In the headers Tus-Version, Tus-Extension, ...'),
        },
        summary: 'What of the tus protocol is supported',
      },
    },
    (request, reply) => serveUpload(tus, request, reply, undefined),
  );
  app.post(
    UPLOADS_PATH,
    {
      config: withPart,
      schema: {
        ...{ tags: TAGS, headers: CreationHeaders },
        response: answering(201, 'Created; Location is the address of the upload'),
        summary: 'Create a resumable upload',
        description: CREATE_TEXT,
      },
    },
    (request, reply) => serveUpload(tus, request, reply, undefined),
  );
}

function partRoutes(app: Server, tus: TusContext): void {
  const one = `${UPLOADS_PATH}/:id`;
  const part = answering(204, 'Taken; Upload-Offset says how many bytes there are');
  app.head(
    one,
    {
      config: { ...config, swagger: { exposeHeadRoute: true } },
      schema: {
        ...{ tags: TAGS, params: JobParams, summary: 'How far an upload came' },
        response: answering(200, 'Upload-Offset says how many bytes there are'),
      },
    },
    (request, reply) => serveUpload(tus, request, reply, request.params.id),
  );
  app.patch(
    one,
    {
      config: withPart,
      schema: {
        ...{ tags: TAGS, response: part, params: JobParams, headers: PartHeaders },
        summary: 'Send the next bytes of an upload',
        description: PATCH_TEXT,
      },
    },
    (request, reply) => serveUpload(tus, request, reply, request.params.id),
  );
  app.post(
    one,
    {
      config: withPart,
      schema: {
        ...{ tags: TAGS, response: part, params: JobParams, headers: PartHeaders },
        summary: 'PATCH or DELETE, named by X-HTTP-Method-Override',
      },
    },
    (request, reply) => serveUpload(tus, request, reply, request.params.id),
  );
  app.delete(
    one,
    {
      config,
      schema: {
        ...{ tags: TAGS, response: answering(204, 'Given up'), params: JobParams },
        summary: 'Give up an upload that is not complete',
        description: 'Its job is cancelled, and what was kept for going on is deleted.',
      },
    },
    (request, reply) => serveUpload(tus, request, reply, request.params.id),
  );
}
