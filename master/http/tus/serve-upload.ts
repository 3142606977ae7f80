import { Server as TusServer, type Upload } from '@tus/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SluiceError, toSluiceError, type ErrorCode } from '../../../pipeline/errors.ts';
import { LIMITS } from '../../../pipeline/limits.ts';
import type { CreateUpload } from '../../service.ts';
import { sendProblem } from '../problems.ts';
import type { RouteContext } from '../route-context.ts';
import { uploadBody, watchUpload } from '../upload-body.ts';
import { checkedPlan, formatHint, idempotencyKey, uploadName } from '../upload-request.ts';
import {
  CHECKSUM_ALGORITHMS,
  checksumOf,
  methodOf,
  refusalOf,
  TUS_VERSION,
  webRequest,
} from './tus-request.ts';
import type { UploadLocks } from './upload-locks.ts';
import { UploadStore } from './upload-store.ts';

export const UPLOADS_PATH = '/api/uploads';

export interface TusContext extends RouteContext {
  readonly locks: UploadLocks;
}

/** A displaced request has this long until it is cut off; what it received counts either way. */
const LOCK_DRAIN_MS = 1;

/** Sent by every answer of the library, for pages of other origins: those may not upload here. */
const DROPPED_HEADERS = /^(access-control-.*|content-length|connection)$/;

/** Answers one request of the tus protocol. */
export async function serveUpload(
  context: TusContext,
  request: FastifyRequest,
  reply: FastifyReply,
  id: string | undefined,
): Promise<FastifyReply> {
  const { raw } = request;
  const method = methodOf(raw);
  void reply.header('tus-resumable', TUS_VERSION);
  const refusal = refusalOf(method, raw, id);
  if (refusal !== null) {
    if (refusal.status === 412) void reply.header('tus-version', TUS_VERSION);
    return sendProblem(reply, refusal.error, context.config, refusal.status);
  }
  const watch = watchUpload(raw, context.config.uploadIdleMs);
  const body = uploadBody(raw);
  watch.guard(body);
  const displaced = new AbortController();
  let failure: unknown = null;
  try {
    const store = new UploadStore({
      uploads: context.service.resumable,
      describe: (upload) => describeUpload(request, upload),
      body,
      checksum: checksumOf(raw),
      signal: AbortSignal.any([watch.signal, displaced.signal]),
    });
    const tus = new TusServer({
      path: UPLOADS_PATH,
      datastore: store,
      locker: context.locks.forRequest(
        () => displaced.abort(displacedError()),
        () => store.settled(),
      ),
      lockDrainTimeout: LOCK_DRAIN_MS,
      maxSize: LIMITS.uploadBytesMax,
      relativeLocation: true,
      allowedOrigins: [],
      getFileIdFromRequest: () => id,
      onResponseError: (_request, thrown) => {
        failure = thrown;
        return undefined;
      },
    });
    const response = await tus.handleWeb(webRequest(raw, method));
    if (response.status >= 400) {
      const causes = [store.failure, failure, body.errored];
      const cause = causes.find((one) => one instanceof SluiceError) ?? failure;
      return await sendRefusal(context, reply, response, cause);
    }
    copyHeaders(response, reply);
    if (method === 'OPTIONS') {
      void reply.header('tus-checksum-algorithm', CHECKSUM_ALGORITHMS.join(','));
    }
    return await reply.code(response.status).send();
  } finally {
    watch.release();
    body.destroy();
  }
}

/** The job that a creation asks for, by its headers and its metadata. */
function describeUpload({ headers }: FastifyRequest, { size, metadata }: Upload): CreateUpload {
  const given = metadata ?? {};
  const name = given['filename'] ?? given['name'] ?? undefined;
  const hint = formatHint(given['filetype'] ?? given['type'] ?? undefined, name ?? '');
  return {
    name: uploadName(name, hint),
    plan: checkedPlan(given['plan'] ?? ''),
    bytesTotal: size ?? null,
    formatHint: hint,
    idempotencyKey: idempotencyKey(headers),
    metadata: metadata ?? null,
  };
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  404: 'not-found',
  409: 'conflict',
  410: 'upload-expired',
  413: 'limit-exceeded',
};

/** The library's refusal as problem details; our own errors keep their words. */
async function sendRefusal(
  { config }: TusContext,
  reply: FastifyReply,
  response: Response,
  cause: unknown,
): Promise<FastifyReply> {
  const own = cause instanceof SluiceError ? cause : null;
  const isUnknown = cause instanceof Error && response.status === 500;
  const error =
    own ??
    (isUnknown
      ? toSluiceError(cause)
      : new SluiceError(
          CODE_OF_STATUS[response.status] ?? 'bad-request',
          (await response.text()).trim(),
        ));
  if (error.status >= 500) reply.request.log.warn({ err: error }, 'upload failed');
  if (error.status === 460) reply.raw.statusMessage = 'Checksum Mismatch';
  const status = own === null && !isUnknown ? response.status : error.status;
  return sendProblem(reply, error, config, status);
}

function copyHeaders(response: Response, reply: FastifyReply): void {
  for (const [name, value] of response.headers) {
    if (!DROPPED_HEADERS.test(name)) void reply.header(name, value);
  }
}

function displacedError(): SluiceError {
  return new SluiceError('upload-locked', 'a newer request has taken over the upload');
}
