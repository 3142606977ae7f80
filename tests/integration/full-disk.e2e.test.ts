import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Spool } from '../../master/uploads/spool.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import { generateFile } from '../support/generate.ts';
import { download, getJson, jobNamed, paced, run, send } from '../support/jobs.ts';
import { describeWith } from '../support/needs.ts';
import { sha256OfRun, sluice } from '../support/sluice.ts';
import { startServer, type TestServer } from '../support/server.ts';

const MIB = 1024 * 1024;

/** A folder on a file system of its own, of 48 MiB; null where we may not mount one. */
function mountSmallDisk(): string | null {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'sluice-test', folder]);
  if (mounted.status === 0) return folder;
  rmSync(folder, { recursive: true });
  return null;
}

const disk = mountSmallDisk();
afterAll(() => {
  if (disk === null) return;
  spawnSync('umount', [disk]);
  rmSync(disk, { recursive: true, force: true });
});

const need = { met: disk !== null, otherwise: 'only root can mount a small disk' };
describeWith(need, 'on a disk that gets full', () => {
  const dataDir = path.join(disk ?? '', 'data');
  const ballast = path.join(disk ?? '', 'ballast');
  let folder = '';
  let file = '';
  let server: TestServer;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-full-'));
    file = path.join(folder, 'people.csv');
    await generateFile(file, { bytes: 12_000_000, seed: 4, malformedEvery: 0 });
    server = await startServer({ workers: 1, dataDir });
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('an upload is answered with 507, and its job says why it failed', async () => {
    const { bavail, bsize } = await statfs(dataDir);
    await writeFile(ballast, Buffer.alloc(bavail * bsize - 3 * MIB, 1));
    const answer = await send(server, paced(file, []), { name: 'too-much.csv' });
    expect(answer).toMatchObject({ status: 507, problem: { status: 507, code: 'disk-full' } });
    const job = await jobNamed(server, 'too-much.csv');
    expect(job).toMatchObject({ status: 'failed', error: { code: 'disk-full' } });
  });

  it('the server stays up, and takes the file once there is room', async () => {
    expect(await getJson<object>(server, '/healthz')).toBeTruthy();
    await rm(ballast);
    const job = await run(server, paced(file, []), { name: 'room.csv' });
    expect(job).toMatchObject({ status: 'completed', error: null });
    expect((await download(server, job.id)).sha256).toBe(await sha256OfRun(file));
  });

  it('a run says in a line what is missing, and why', async () => {
    const { bavail, bsize } = await statfs(dataDir);
    await writeFile(ballast, Buffer.alloc(bavail * bsize - MIB, 1));
    const args = [
      'run',
      file,
      '--sql',
      'select upper(name) as name from input',
      '-o',
      path.join(folder, 'out.csv'),
    ];
    const { code, stderr } = await sluice(args, undefined, { TMPDIR: disk ?? '' });
    await rm(ballast);
    expect(code).toBe(1);
    const said = stderr.trimEnd().split('\n');
    expect(said).toHaveLength(2);
    expect(said[1]).toMatch(/^sluice: \d+ of the chunks failed .* no space left for .* free some/);
  });

  it('an append to a spool that failed leaves nothing between what counts', async () => {
    const dir = path.join(disk ?? '', 'spool');
    const spool = await Spool.open(dir, 0);
    await spool.append(Buffer.from('first '));
    // Larger than the disk: it takes what there is room for.
    await expect(spool.append(Buffer.alloc(64 * MIB, 'x'))).rejects.toMatchObject({
      code: 'disk-full',
    });
    expect(spool.end).toBe(6);
    await spool.append(Buffer.alloc(LIMITS.spoolFileBytes, 'y'));
    await spool.append(Buffer.from(' last'));
    const { end } = spool;
    await spool.close();
    // After a crash the files say how far the upload came.
    expect((await Spool.open(dir, 0)).end).toBe(end);
    await spool.remove();
  });
});
