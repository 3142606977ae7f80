import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../pipeline/errors.ts';
import { openEdge, type Edge } from '../support/http-edge.ts';

let edge: Edge;
beforeEach(() => {
  edge = openEdge();
});
afterEach(() => edge.app.close());

describe('the API document', () => {
  interface Operation {
    readonly responses?: Record<string, { description?: string }>;
    readonly summary?: string;
    readonly parameters?: { name: string; in: string; required?: boolean }[];
  }
  interface Document {
    readonly openapi: string;
    readonly info: { description: string };
    readonly paths: Record<string, Record<string, Operation>>;
    readonly components: { schemas: Record<string, unknown> };
  }
  const read = async () => (await edge.app.inject('/api/docs/json')).json<Document>();

  it('is OpenAPI 3.1 and has every call of the contract', async () => {
    const { openapi, paths } = await read();
    expect(openapi).toBe('3.1.0');
    const calls = Object.entries(paths).flatMap(([url, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${url}`),
    );
    const jobPart = (part: string) => `/api/jobs/{id}${part}`;
    const reads = ['', '/records', '/result', '/rejects', '/profile', '/manifest', '/chunks'];
    const actions = ['/cancel', '/pause', '/resume', '/retry'];
    for (const call of [
      ...['POST /api/jobs', 'PUT /api/jobs', 'PUT /api/jobs/{filename}', 'GET /api/jobs'],
      ...['POST /api/uploads', 'POST /api/sniff', 'POST /api/plans/check', 'GET /api/workers'],
      ...['GET /healthz', 'GET /readyz', 'GET /metrics', `DELETE ${jobPart('')}`],
      ...['HEAD /api/uploads/{id}', 'PATCH /api/uploads/{id}', 'DELETE /api/uploads/{id}'],
      ...['GET /internal/blobs/{*}', 'PUT /internal/blobs/{*}'],
      ...reads.map((part) => `GET ${jobPart(part)}`),
      ...actions.map((part) => `POST ${jobPart(part)}`),
    ]) {
      expect(calls).toContain(call);
    }
  });

  it('is sound: references resolve, path parameters are declared, answers described', async () => {
    const document = await read();
    for (const reference of referencesIn(document)) {
      expect(reference).toMatch(/^#\/components\/schemas\/\w+$/);
      expect(Object.keys(document.components.schemas)).toContain(reference.split('/').at(-1));
    }
    for (const [url, operations] of Object.entries(document.paths)) {
      const names = [...url.matchAll(/\{(.+?)\}/g)].map((match) => match[1]);
      for (const [method, operation] of Object.entries(operations)) {
        if (method === 'head') continue;
        const declared = (operation.parameters ?? [])
          .filter((parameter) => parameter.in === 'path' && parameter.required === true)
          .map((parameter) => parameter.name);
        expect([url, declared]).toEqual([url, names]);
        expect(operation.summary).toMatch(/\w/);
        expect([url, Object.keys(operation.responses ?? {}).join()]).toEqual([
          url,
          expect.stringMatching(/^20\d/),
        ]);
        for (const response of Object.values(operation.responses ?? {})) {
          expect(response.description).toMatch(/\w/);
        }
      }
    }
  });

  it('explains every problem code', async () => {
    const { info } = await read();
    for (const code of Object.keys(ERROR_CODES)) {
      expect(info.description).toContain(`id="problem-${code}"`);
    }
  });

  it('has a reader', async () => {
    const response = await edge.app.inject('/api/docs/');
    expect(response.statusCode).toBe(200);
    expect(response.body).toContain('swagger-ui');
    expect(response.headers['content-security-policy']).not.toContain('upgrade-insecure');
  });
});

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === '$ref' && typeof member === 'string' ? [member] : referencesIn(member),
  );
}
