import { describe, expect, it } from 'vitest';
import { openEdge } from '../support/http-edge.ts';

const TOKEN = 'viewer-token-0123456789';
const edge = openEdge({ tokens: [{ token: TOKEN, role: 'viewer' }], hosts: ['localhost'] });

async function signIn(payload: string) {
  return edge.app.inject({
    method: 'POST',
    url: '/api/session',
    headers: { 'content-type': 'application/json' },
    payload,
  });
}

describe('a session', () => {
  it('lets a browser in by a cookie that scripts and other sites cannot use', async () => {
    expect((await edge.app.inject('/api/jobs')).statusCode).toBe(401);
    const answer = await signIn(JSON.stringify({ token: TOKEN }));
    expect(answer.statusCode).toBe(204);
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    const headers = { cookie: cookie.split(';')[0] ?? '' };
    expect((await edge.app.inject({ url: '/api/jobs', headers })).statusCode).toBe(200);
    const more = await edge.app.inject({ method: 'POST', url: '/api/jobs/x/cancel', headers });
    expect(more.statusCode).toBe(403);
  });

  it('takes no wrong token, and no body of another kind', async () => {
    expect((await signIn(JSON.stringify({ token: 'guessed-token-0000000' }))).statusCode).toBe(401);
    for (const body of ['', '{}', '[]', '{"token": 5}', '{"token": "a b"}']) {
      const answer = await signIn(body);
      expect(answer.statusCode).toBe(400);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });

  it('ends on request', async () => {
    const answer = await edge.app.inject({ method: 'DELETE', url: '/api/session' });
    expect(answer.statusCode).toBe(204);
    expect(String(answer.headers['set-cookie'])).toMatch(/sluice_session=;.*Max-Age=0/);
  });
});
