/** The map's cells: one a chunk, or one for a run of neighbours when there are too many to see. */
export interface ChunkCell {
  /** Chunks [start, end) in file order. */
  readonly start: number;
  readonly end: number;
  /** What most needs to be seen: failed, else running, else queued, else done or reused. */
  readonly state: ChunkLetter;
  /** Share of the cell's chunks that are done or reused, 0 to 1. */
  readonly doneShare: number;
}

export type ChunkLetter = 'q' | 'r' | 'd' | 'u' | 'f';

export const CHUNK_LEGEND: readonly { readonly letter: ChunkLetter; readonly label: string }[] = [
  { letter: 'q', label: 'queued' },
  { letter: 'r', label: 'running' },
  { letter: 'd', label: 'done' },
  { letter: 'u', label: 'reused' },
  { letter: 'f', label: 'failed' },
];

/** `map` as in `Snapshot`; answers at most `cellsMax` cells that cover all chunks in order. */
export function chunkCells(map: string, cellsMax: number): ChunkCell[] {
  const size = Math.max(1, Math.ceil(map.length / Math.max(1, cellsMax)));
  const cells: ChunkCell[] = [];
  for (let start = 0; start < map.length; start += size) {
    const end = Math.min(map.length, start + size);
    cells.push(cellOf(map, start, end));
  }
  return cells;
}

function cellOf(map: string, start: number, end: number): ChunkCell {
  const counts: Record<ChunkLetter, number> = { q: 0, r: 0, d: 0, u: 0, f: 0 };
  for (let index = start; index < end; index += 1) {
    const letter = map[index];
    if (isLetter(letter)) counts[letter] += 1;
  }
  const finished = counts.u > counts.d ? 'u' : 'd';
  const state = counts.f > 0 ? 'f' : counts.r > 0 ? 'r' : counts.q > 0 ? 'q' : finished;
  return { start, end, state, doneShare: (counts.d + counts.u) / (end - start) };
}

function isLetter(letter: string | undefined): letter is ChunkLetter {
  return letter === 'q' || letter === 'r' || letter === 'd' || letter === 'u' || letter === 'f';
}
