import { describe, expect, it } from 'vitest';
import type { Chunk, ChunkPage, ChunkStatus } from '../../pipeline/protocol/index.ts';
import { chunkCells } from '../../dashboard-vue/src/chunks/chunk-cells.ts';
import { createChunkPages } from '../../dashboard-vue/src/chunks/chunk-pages.ts';

describe('cells of the chunk map', () => {
  it('are one a chunk while there is room', () => {
    expect(chunkCells('dru', 10).map((cell) => [cell.start, cell.end, cell.state])).toEqual([
      [0, 1, 'd'],
      [1, 2, 'r'],
      [2, 3, 'u'],
    ]);
  });

  it('cover every chunk exactly once, in order, within the bound', () => {
    for (const length of [1, 7, 99, 100, 101, 5000, 12_345]) {
      const cells = chunkCells('d'.repeat(length), 100);
      expect(cells.length).toBeLessThanOrEqual(100);
      expect(cells[0]?.start).toBe(0);
      expect(cells.at(-1)?.end).toBe(length);
      expect(cells.slice(1).every((cell, at) => cell.start === cells[at]?.end)).toBe(true);
    }
  });

  it('show what most needs to be seen of the chunks they hold', () => {
    const states = (map: string) => chunkCells(map, 1).map((cell) => cell.state);
    expect(states('dddf')).toEqual(['f']);
    expect(states('ddrq')).toEqual(['r']);
    expect(states('ddqd')).toEqual(['q']);
    expect(states('uuud')).toEqual(['u']);
    expect(chunkCells('ddqq', 1)[0]?.doneShare).toBe(0.5);
  });

  it('are none for a job without chunks', () => {
    expect(chunkCells('', 100)).toEqual([]);
  });
});

describe('pages of chunks', () => {
  const SIZE = 3;
  function server(statuses: ChunkStatus[]) {
    const asked: (string | null)[] = [];
    const fetchPage = async (cursor: string | null): Promise<ChunkPage> => {
      asked.push(cursor);
      const start = cursor === null ? 0 : Number(cursor.slice(1));
      const chunks = statuses
        .slice(start, start + SIZE)
        .map((status, at) => ({ index: start + at, status }) as Chunk);
      const isLast = start + SIZE >= statuses.length;
      return { chunks, nextCursor: isLast ? null : `c${start + SIZE}` };
    };
    return { asked, pages: createChunkPages(fetchPage), statuses };
  }

  it('give the map of all chunks, and ask again only for what can change', async () => {
    const { asked, pages, statuses } = server([
      'done',
      'done',
      'reused',
      'done',
      'running',
      'queued',
      'queued',
    ]);
    expect(await pages.refresh()).toBe('ddudrqq');
    statuses[4] = 'done';
    statuses[5] = 'failed';
    asked.length = 0;
    expect(await pages.refresh()).toBe('ddudd' + 'fq');
    expect(asked).toEqual(['c3', 'c6']);
  });

  it('follow a list that grows past its last page', async () => {
    const { pages, statuses } = server(['done', 'done']);
    expect(await pages.refresh()).toBe('dd');
    statuses.push('done', 'queued');
    expect(await pages.refresh()).toBe('dddq');
  });

  it('find a chunk by its index without fetching a known page twice', async () => {
    const { asked, pages } = server(['done', 'done', 'done', 'done', 'done', 'done', 'done']);
    expect((await pages.find(4))?.index).toBe(4);
    expect((await pages.find(3))?.index).toBe(3);
    expect(asked).toEqual([null, 'c3']);
    expect(await pages.find(99)).toBeNull();
  });
});
