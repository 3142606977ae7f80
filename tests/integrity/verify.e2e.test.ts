import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../pipeline/protocol/index.ts';
import { checkedIntegrity, OutputVerifier } from '../../pipeline/integrity/output-verifier.ts';
import { sluice } from '../support/sluice.ts';

const RECORDS = 300_000;

const PLANS = {
  csv: '',
  ndjson: 'write: { format: ndjson }',
  json: 'steps: [{ filter: "id % 3 = 0" }]\nwrite: { format: json }',
  aggregate: 'steps: [{ aggregate: { by: [id], measures: { n: count(*) } } }]',
  sort: 'steps: [{ sort: [name, { by: id, desc: true }] }]',
  groups: 'sql: SELECT name, count(*) AS n FROM input GROUP BY name ORDER BY n, name LIMIT 100',
  distinct: 'sql: SELECT DISTINCT name FROM input',
  parquet: 'write: { format: parquet }',
  nothing: 'steps: [{ filter: "id < 0" }]\nwrite: { format: json }',
};
type PlanName = keyof typeof PLANS;

/** Paths of all values that hold no others. */
function leavesOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}

function changeAt(document: object, path: readonly string[]): void {
  const holder = path.slice(0, -1).reduce((at, name) => at[name] as Fields, document as Fields);
  const name = path.at(-1)!;
  const before = holder[name];
  if (typeof before === 'number') holder[name] = before + 1;
  else if (typeof before === 'boolean') holder[name] = !before;
  else if (typeof before === 'string') holder[name] = `${before.slice(1)}x`;
  else holder[name] = 0;
}

type Fields = Record<string, unknown>;

describe('sluice verify', () => {
  let folder: string;
  const at = (name: string) => path.join(folder, name);

  /** Runs the plan over the file; gives the manifest and where the output is. */
  async function run(plan: PlanName, input = 'in.csv'): Promise<[Manifest, string, string]> {
    const [manifest, output] = [at(`${plan}.${input}.manifest`), at(`${plan}.${input}.out`)];
    await writeFile(at('plan.yaml'), PLANS[plan]);
    const files = ['-o', output, '--manifest', manifest, '--plan', at('plan.yaml')];
    const { code, stderr } = await sluice(['run', at(input), ...files, '--quiet']);
    expect(code, stderr).toBe(0);
    return [JSON.parse(await readFile(manifest, 'utf8')) as Manifest, manifest, output];
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-verify-'));
    const lines = Array.from({ length: RECORDS }, (_, id) => `${id},name ${id % 977},${id * 7}`);
    await writeFile(at('in.csv'), `id,name,amount\n${lines.join('\n')}\n`);
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it.each(Object.keys(PLANS) as PlanName[])('takes the result of plan %s', async (plan) => {
    const [{ integrity }, manifest, output] = await run(plan);
    const bytes = await readFile(output);
    expect(integrity?.output.bytes).toBe(bytes.length);
    const { code, stdout, stderr } = await sluice(['verify', manifest, output]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.toString()).toContain(integrity?.root);
    const piped = await sluice(['verify', manifest, '-', '--quiet'], bytes);
    expect(piped).toMatchObject({ code: 0, stderr: '' });
  });

  it('says where a changed byte is', async () => {
    const [{ integrity }, manifest, output] = await run('csv');
    const parts = integrity?.output.parts ?? [];
    expect(parts.length).toBeGreaterThan(2);
    const bytes = await readFile(output);
    for (const part of parts) {
      const changed = Buffer.from(bytes);
      const place = Math.floor((part.start + part.end - 1) / 2);
      changed[place] = changed[place]! ^ 4;
      await writeFile(at('changed.csv'), changed);
      const { code, stderr } = await sluice(['verify', manifest, at('changed.csv')]);
      expect(code).toBe(1);
      expect(stderr).toContain(`within bytes ${part.start} to ${part.end} (`);
      if (part.kind === 'chunk') {
        const first = (part.firstRecord ?? 0) + 1;
        const last = first + (part.records ?? 0) - 1;
        expect(stderr).toContain(`(chunk ${part.chunk}, records ${first} to ${last})`);
        // Each record here is a line, so the place can be held against the file itself.
        const line = changed.subarray(0, place).filter((byte) => byte === 0x0a).length;
        expect(line).toBeGreaterThanOrEqual(first);
        expect(line).toBeLessThanOrEqual(last);
      }
      expect(stderr).toContain(`1 of ${parts.length} parts differ`);
    }
  });

  it('tells a cut output, one with more behind it, and one with a byte too many inside', async () => {
    const [, manifest, output] = await run('csv');
    const bytes = await readFile(output);
    const check = async (changed: Buffer) => {
      await writeFile(at('changed.csv'), changed);
      const { code, stderr } = await sluice(['verify', manifest, at('changed.csv')]);
      expect(code).toBe(1);
      return stderr;
    };
    const half = bytes.length >> 1;
    expect(await check(bytes.subarray(0, half))).toContain(`ends after ${half} of ${bytes.length}`);
    expect(await check(Buffer.concat([bytes, Buffer.from('x\n')]))).toContain('has 2 bytes after');
    const inserted = Buffer.concat([bytes.subarray(0, 20), Buffer.of(0x20), bytes.subarray(20)]);
    expect(await check(inserted)).toMatch(/first within bytes 15 to \d+ \(chunk 0, records 1 to/);
    expect(await check(Buffer.alloc(0))).toContain('ends after 0 of');
  });

  it('refuses a manifest that was changed, in whatever part of it', async () => {
    const [whole, manifest, output] = await run('csv');
    const changes: ((one: Manifest) => void)[] = [
      (one) => (one.chunks[0]!.chunkKey = '0'.repeat(64)),
      (one) => one.chunks.pop(),
      (one) => (one.integrity!.output.parts[1]!.sha256 = '0'.repeat(64)),
      (one) => one.integrity!.output.parts.pop(),
      (one) => (one.integrity!.totals.recordsIn += 1),
      (one) => (one.integrity!.plan.sha256 = '0'.repeat(64)),
      (one) => (one.integrity!.output.records += 1),
      (one) => one.integrity!.failedChunks.push(1),
      (one) => (one.integrity!.root = '0'.repeat(64)),
      (one) => (one.integrity = null),
    ];
    for (const change of changes) {
      const one = structuredClone(whole);
      change(one);
      await writeFile(manifest, JSON.stringify(one));
      const { code, stderr } = await sluice(['verify', manifest, output]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^sluice: the manifest cannot be used: it/);
    }
    await writeFile(manifest, JSON.stringify(whole));
    const known = ['--root', whole.integrity?.root ?? ''];
    expect((await sluice(['verify', manifest, output, ...known])).code).toBe(0);
    const other = await sluice(['verify', manifest, output, '--root', '0'.repeat(64)]);
    expect(other).toMatchObject({ code: 1 });
    expect(other.stderr).toContain("the manifest's root is");
  });

  it('finds any one change of what the root speaks of, and of what repeats it', async () => {
    const [whole] = await run('json');
    const unseen = leavesOf(whole).filter((path) => {
      const one = structuredClone(whole);
      changeAt(one, path);
      try {
        checkedIntegrity(one);
        return true;
      } catch {
        return false;
      }
    });
    // Whose job it was, how the input was read, and the shares of chunks, waves and parts.
    const free =
      /^(version|jobId|name|status|balanced|input\.|outputColumns\.|waves\.|totals\.(bytesIn|derivedRejected)$|chunks\.\d+\.(?!chunkKey$|bytes$|wave$)|integrity\.output\.parts\.\d+\.(kind|chunk|firstRecord|records)$)/;
    expect(unseen.map((path) => path.join('.')).filter((path) => !free.test(path))).toEqual([]);
    expect(unseen.length).toBeLessThan(leavesOf(whole).length);
  });

  it('finds any byte that is changed, and lines that are dropped, doubled or swapped', async () => {
    const [whole, , output] = await run('sort');
    const integrity = checkedIntegrity(whole);
    const bytes = await readFile(output);
    const verdictOf = (...pieces: Uint8Array[]): string => {
      const verifier = new OutputVerifier(integrity);
      for (const piece of pieces) verifier.push(piece);
      return verifier.finish().kind;
    };
    expect(verdictOf(bytes)).toBe('whole');
    const lineFrom = (at: number): [number, number] => {
      const start = bytes.lastIndexOf(0x0a, at) + 1;
      return [start, bytes.indexOf(0x0a, start) + 1];
    };
    const place = fc.nat(bytes.length - 1_000);
    fc.assert(
      fc.property(place, place, fc.integer({ min: 1, max: 255 }), (one, other, mask) => {
        const flipped = Buffer.of(bytes[one]! ^ mask);
        const before = bytes.subarray(0, one);
        expect(verdictOf(before, flipped, bytes.subarray(one + 1))).toBe('changed');
        const [[start, end], [start2, end2]] = [lineFrom(one), lineFrom(other)].sort(
          ([a], [b]) => a - b,
        ) as [[number, number], [number, number]];
        const [head, line] = [bytes.subarray(0, start), bytes.subarray(start, end)];
        expect(verdictOf(head, bytes.subarray(end))).not.toBe('whole');
        expect(verdictOf(head, line, line, bytes.subarray(end))).not.toBe('whole');
        if (start === start2) return;
        const line2 = bytes.subarray(start2, end2);
        const swapped = [head, line2, bytes.subarray(end, start2), line, bytes.subarray(end2)];
        expect(verdictOf(...swapped)).toBe('changed');
      }),
      { numRuns: 25 },
    );
  });

  it('refuses what is no manifest, and files that are not there', async () => {
    await writeFile(at('none.json'), '{"version": 1}');
    await writeFile(at('broken.json'), '{');
    for (const name of ['none.json', 'broken.json']) {
      const { code, stderr } = await sluice(['verify', at(name), at('in.csv')]);
      expect(code).toBe(1);
      expect(stderr).toContain(`${at(name)} is not a manifest`);
    }
    const missing = await sluice(['verify', at('missing.json'), at('in.csv')]);
    expect(missing).toMatchObject({ code: 2 });
  });

  it('has the same root for the same input and plan, and another for another', async () => {
    const [first] = await run('ndjson');
    await writeFile(at('again.csv'), await readFile(at('in.csv')));
    const [again] = await run('ndjson', 'again.csv');
    expect(again.integrity).toEqual(first.integrity);
    const [other] = await run('csv');
    expect(other.integrity?.root).not.toBe(first.integrity?.root);
    expect(other.integrity?.input.root).toBe(first.integrity?.input.root);
  });

  it('is what docs/manifest.md says, written anew', async () => {
    const [manifest, , output] = await run('json');
    const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
    const { integrity, chunks } = manifest;
    const bytes = await readFile(output);
    const input = await readFile(at('in.csv'));
    for (const { byteOffset, bytes: size, chunkKey } of chunks) {
      expect(sha256(input.subarray(byteOffset, byteOffset + size))).toBe(chunkKey);
    }
    const { output: out, ...rest } = integrity!;
    let omitted = out.omitted;
    for (const { kind, start, end, sha256: hash } of out.parts) {
      const before = kind === 'chunk' ? omitted : '';
      if (kind === 'chunk') omitted = '';
      expect(sha256(Buffer.concat([Buffer.from(before), bytes.subarray(start, end)]))).toBe(hash);
    }
    const sorted = (value: unknown): unknown =>
      typeof value !== 'object' || value === null || Array.isArray(value)
        ? value
        : Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, member]) => [name, sorted(member)]),
          );
    const { root, ...about } = rest;
    const { bytes: size, records, omitted: led, root: outRoot } = out;
    const outAbout = { bytes: size, records, omitted: led, root: outRoot };
    const rooted = sorted({ ...about, kind: 'manifest', output: outAbout });
    expect(sha256(JSON.stringify(rooted))).toBe(root);
  });
});
