import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Spool } from '../../master/uploads/spool.ts';

let dir: string;
beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), 'sluice-spool-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const leave = (start: number, text: string) =>
  writeFileSync(path.join(dir, String(start).padStart(16, '0')), text);

async function opened(offset: number): Promise<string> {
  const spool = await Spool.open(dir, offset);
  const pieces: Buffer[] = [];
  for await (const piece of spool.read(Math.max(offset, spool.start), spool.end))
    pieces.push(piece);
  return `${spool.start}-${spool.end} ${Buffer.concat(pieces).toString()}`;
}

it('goes on from an offset though an earlier file is back and the next one is not', async () => {
  leave(0, 'back');
  leave(9, 'what ');
  leave(14, 'counts');
  expect(await opened(11)).toBe('9-20 at counts');
});

it('reads nothing behind a gap', async () => {
  leave(0, 'whole');
  leave(5, ' row');
  leave(12, 'torn off');
  expect(await opened(0)).toBe('0-9 whole row');
  expect(await opened(6)).toBe('5-9 row');
});

it('is what there is when all of it lies before the offset', async () => {
  leave(0, 'old');
  expect(await opened(7)).toBe('0-3 ');
});

it('counts nothing of what was to be dropped where not all of it can be deleted', async () => {
  leave(0, 'gone');
  const spool = await Spool.open(dir, 0);
  const stuck = path.join(dir, '0000000000000004');
  mkdirSync(stuck);
  await expect(spool.restartAt(0)).rejects.toMatchObject({ code: 'storage-failed' });
  expect(spool.end).toBe(0);
  rmdirSync(stuck);
  await spool.restartAt(0);
  await spool.append(Buffer.from('anew'));
  await spool.close();
  expect(await opened(0)).toBe('0-4 anew');
});
