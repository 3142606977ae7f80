import type { Chunk, ChunkPage, ChunkStatus } from '../../../pipeline/protocol/index.ts';

const MAP_LETTERS: Readonly<Record<ChunkStatus, string>> = {
  queued: 'q',
  running: 'r',
  done: 'd',
  reused: 'u',
  failed: 'f',
};

interface StoredPage {
  readonly cursor: string | null;
  readonly page: ChunkPage;
}

/**
 * The chunks of one job, fetched page by page and kept. A refresh asks again only for pages that can
 * still change: those with an unfinished or failed chunk, and the last.
 */
export interface ChunkPages {
  /** Brings everything up to date; answers the map of `Snapshot`. */
  refresh(): Promise<string>;
  /** The chunk in file order, fetching up to its page; null when there is none. */
  find(index: number): Promise<Chunk | null>;
}

export function createChunkPages(
  fetchPage: (cursor: string | null) => Promise<ChunkPage>,
): ChunkPages {
  const pages: StoredPage[] = [];
  const canChange = (stored: StoredPage) =>
    stored.page.nextCursor === null ||
    stored.page.chunks.some((chunk) => chunk.status !== 'done' && chunk.status !== 'reused');

  async function load(position: number, isFresh: boolean): Promise<StoredPage | null> {
    const stored = pages[position];
    if (stored !== undefined && (isFresh || !canChange(stored))) return stored;
    const cursor = position === 0 ? null : (pages[position - 1]?.page.nextCursor ?? null);
    if (position > 0 && cursor === null) return null;
    const loaded = { cursor, page: await fetchPage(cursor) };
    pages[position] = loaded;
    return loaded;
  }

  return {
    async refresh() {
      let map = '';
      for (let position = 0; ; position += 1) {
        const stored = await load(position, false);
        if (stored === null) return map;
        map += stored.page.chunks.map((chunk) => MAP_LETTERS[chunk.status]).join('');
        if (stored.page.nextCursor === null) return map;
      }
    },
    async find(index) {
      for (let position = 0; ; position += 1) {
        const reachesIndex = (pages[position]?.page.chunks.at(-1)?.index ?? -1) >= index;
        const stored = await load(
          position,
          !reachesIndex && pages[position]?.page.nextCursor !== null,
        );
        if (stored === null) return null;
        const found = stored.page.chunks.find((chunk) => chunk.index === index);
        if (found !== undefined) return found;
        if (stored.page.nextCursor === null) return null;
      }
    },
  };
}
