import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES, SluiceError, toSluiceError, type ErrorCode } from '../../pipeline/errors.ts';
import type { Problem } from '../../pipeline/protocol/index.ts';
import { sendDocument, type DrainLimits } from './early-answer.ts';

/** Errors as RFC 9457 problem details: the one error handler of the HTTP edge. */

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** A stable relative URI for each code; the API document lists them. */
export function problemTypeUri(code: ErrorCode): string {
  return `/api/docs#problem-${code}`;
}

/** `status` overrides the table's where HTTP has a better word for this one call. */
export function problemDocument(error: SluiceError, instance: string, status?: number): Problem {
  const hidden = error.kind === 'programmer';
  return {
    type: problemTypeUri(error.code),
    title: ERROR_CODES[error.code].title,
    status: status ?? error.status,
    detail: hidden ? 'The server met an error of its own; its log says more.' : error.message,
    instance,
    code: error.code,
    details: hidden ? {} : { ...error.details },
  };
}

export function sendProblem(
  reply: FastifyReply,
  error: SluiceError,
  limits: DrainLimits,
  status?: number,
): FastifyReply {
  const problem = problemDocument(error, pathOf(reply.request), status);
  void reply.code(problem.status).header('cache-control', 'no-store');
  if (error.code === 'unauthorized') void reply.header('www-authenticate', 'Bearer');
  return sendDocument(reply, PROBLEM_TYPE, problem, limits);
}

export function answerErrors(app: FastifyInstance, limits: DrainLimits): void {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    const error = requestError(thrown);
    if (error.kind === 'programmer') request.log.error({ err: thrown }, 'request failed');
    else if (error.status >= 500) request.log.warn({ err: thrown }, 'request failed');
    return sendProblem(reply, error, limits);
  });
}

/** Of a request that found no route, such as one whose path is not percent-encoded UTF-8. */
export function sendFrameworkProblem(
  thrown: FastifyError,
  reply: FastifyReply,
  limits: DrainLimits,
): void {
  sendProblem(reply, requestError(thrown), limits);
}

/** The framework's errors in our words. */
function requestError(thrown: FastifyError): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  if (thrown.validation !== undefined) return validationError(thrown);
  const status = thrown.statusCode ?? 500;
  // What we forbid is a SluiceError: this is a name that no file can have.
  if (status === 403) return new SluiceError('not-found', 'there is no such page or file');
  if (status >= 400 && status < 500) {
    return new SluiceError(codeOfStatus(status), thrown.message, { cause: thrown });
  }
  return toSluiceError(thrown);
}

function validationError(thrown: FastifyError): SluiceError {
  const context = thrown.validationContext ?? 'request';
  const fields = (thrown.validation ?? []).map(({ instancePath, message, params }) => ({
    in: context,
    field: instancePath === '' ? missingProperty(params) : instancePath.slice(1),
    message: message ?? 'is not valid',
  }));
  const list = fields.map(({ field, message }) => `${field} ${message}`.trim()).join('; ');
  return new SluiceError('bad-request', `${context}: ${list}`, { details: { fields } });
}

function missingProperty(params: Readonly<Record<string, unknown>>): string {
  const name = params['missingProperty'] ?? params['additionalProperty'];
  return typeof name === 'string' ? name : '';
}

function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 413:
      return 'limit-exceeded';
    case 415:
      return 'input-format';
    case 429:
      return 'rate-limited';
    default:
      return 'bad-request';
  }
}

export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url;
}

/** The bytes answered on a connection whose request was not HTTP. */
export function malformedRequestAnswer(status: number): string {
  const why = status === 431 ? 'the headers are too large; 16 KiB at most' : 'not a valid request';
  const error = new SluiceError(status === 408 ? 'aborted' : 'bad-request', why);
  const body = JSON.stringify(problemDocument(error, '', status));
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Bad Request'}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
