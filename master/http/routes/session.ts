import { Type } from 'typebox';
import { SluiceError } from '../../../pipeline/errors.ts';
import type { AccessControl } from '../access.ts';
import type { Server } from '../route-context.ts';
import { PROBLEMS } from '../schemas.ts';
import { sessionCookie } from '../session-cookie.ts';

/** Longer than any token that an operator would set. */
const BODY_BYTES_MAX = 4_096;

/** Signing in with a token, for browsers: a cookie then stands for the Authorization header. */
export async function sessionRoutes(app: Server, access: AccessControl): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'string', bodyLimit: BODY_BYTES_MAX },
    (_request, body, done) => done(null, body),
  );
  app.post(
    '/api/session',
    {
      schema: {
        tags: ['health'],
        summary: 'Sign in: {"token": "..."} becomes a session cookie',
        response: { 204: Type.Null({ description: 'Signed in' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const token = tokenOf(request.body);
      const { remoteAddress } = request.socket;
      try {
        access.check('viewer', { authorization: `Bearer ${token}`, remoteAddress });
      } catch (thrown) {
        const isUnknown = thrown instanceof SluiceError && thrown.code === 'unauthorized';
        if (!isUnknown) throw thrown;
        throw new SluiceError('unauthorized', 'the token is not one of those set on this server');
      }
      const isSecure = request.headers['x-forwarded-proto'] === 'https';
      return reply.header('set-cookie', sessionCookie(token, isSecure)).code(204).send(null);
    },
  );
  app.delete(
    '/api/session',
    {
      schema: {
        tags: ['health'],
        summary: 'Sign out',
        response: { 204: Type.Null({ description: 'Signed out' }), ...PROBLEMS },
      },
    },
    async (_request, reply) =>
      reply.header('set-cookie', sessionCookie('', false)).code(204).send(null),
  );
}

function tokenOf(body: unknown): string {
  try {
    const parsed: unknown = JSON.parse(typeof body === 'string' ? body : '');
    if (typeof parsed === 'object' && parsed !== null && 'token' in parsed) {
      const { token } = parsed;
      if (typeof token === 'string' && /^\S+$/.test(token)) return token;
    }
  } catch {
    // Answered below.
  }
  throw new SluiceError('bad-request', 'send {"token": "..."} as JSON');
}
