import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { displayName } from '../../master/http/display-name.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { BOUNDARY, FORM_TYPE, openEdge, type Edge } from '../support/http-edge.ts';
import { describeWith } from '../support/needs.ts';

let edge: Edge;
beforeEach(() => {
  edge = openEdge();
});
afterEach(async () => {
  await edge.app.close();
  expect(edge.service.listeners.size).toBe(0);
});

const DATA = 'a,b\n1,2\n';

const NAMES = path.join(corpusFolder, 'security', 'upload_names.json');

describeWith(corpusNeed, 'names of clients', () => {
  const { names } = corpusNeed.met
    ? (JSON.parse(readFileSync(NAMES, 'utf8')) as { names: string[] })
    : { names: [] };

  it.each(names.map((name) => [name]))('%j is shown, escaped and never a path', async (name) => {
    const send = {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      payload: DATA,
    } as const;
    const raw = await edge.app.inject({
      ...send,
      url: `/api/jobs?name=${encodeURIComponent(name)}`,
    });
    expect(raw.statusCode).toBe(201);
    const quoted = name.replace(/["\r\n]/g, '_');
    const form = await edge.app.inject({
      method: 'POST',
      url: '/api/jobs',
      headers: { 'content-type': FORM_TYPE },
      payload: Buffer.from(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${quoted}"; ` +
          `filename*=UTF-8''${encodeURIComponent(name)}\r\nContent-Type: text/csv\r\n\r\n` +
          `${DATA}\r\n--${BOUNDARY}--\r\n`,
      ),
    });
    expect(form.statusCode).toBe(201);
    for (const { request } of edge.service.uploads) {
      expect(request.name).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069/\\]/u);
      expect(request.name).not.toMatch(/^\.*$/);
      expect([...request.name].length).toBeLessThanOrEqual(255);
    }
    const job = raw.json<{ id: string }>();
    const download = await edge.app.inject(`/api/jobs/${job.id}/result`);
    expect(download.statusCode).toBe(200);
    expect(download.headers['content-disposition']).toMatch(
      /^attachment; filename="[\x20-\x21\x23-\x7e]*"(; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?$/,
    );
  });
});

describe('displayName', () => {
  it('keeps the extension of a long name, whole characters only', () => {
    const name = displayName(`${'😀'.repeat(300)}.csv`, 'input.csv');
    expect([...name]).toHaveLength(255);
    expect(name.endsWith('😀….csv')).toBe(true);
    expect(name).not.toMatch(/\p{Cs}/u);
  });

  it.each([
    [undefined, 'input.csv'],
    ['', 'input.csv'],
    ['..', 'input.csv'],
    ['\u202e\u0000', 'input.csv'],
    ['C:\\fakepath\\x.csv', 'x.csv'],
    ['__proto__', '__proto__'],
  ])('%j is shown as %s', (given, shown) => {
    expect(displayName(given, 'input.csv')).toBe(shown);
  });
});
