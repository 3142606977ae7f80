import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Rooms, and the rooms (or folders of rooms) whose files they may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  pipeline: ['pipeline/'],
  broker: ['broker/', 'pipeline/'],
  worker: ['worker/', 'broker/', 'pipeline/'],
  master: ['master/', 'broker/', 'pipeline/'],
  'dashboard-vue': ['dashboard-vue/', 'pipeline/protocol/'],
  cli: ['cli/', 'worker/', 'master/', 'pipeline/'],
};
const LINES_MAX = 400;

/** `import ... from 'x'`, `export ... from 'x'`, `import 'x'`, `import('x')`. */
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*'([^']+)'|import\('([^']+)'\)/g;

const sources = Object.keys(MAY_IMPORT).flatMap((room) => filesOf(room));
const imports = new Map(sources.map((file) => [file, importsOf(file)]));

function filesOf(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|vue)$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((file) => !/(^|\/)(node_modules|dist)\//.test(file));
}

/** Files of the repository that a file imports, relative to the root; packages are left out. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(IMPORT)]
    .map((match) => match[1] ?? match[2] ?? '')
    .filter((target) => target.startsWith('.'))
    .map((target) => path.join(path.dirname(file), target.replace(/\?.*$/, '')));
}

/** One cycle through the import graph as a list of files, or null. */
function findCycle(): string[] | null {
  const finished = new Set<string>();
  const visit = (file: string, trail: readonly string[]): string[] | null => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (finished.has(file)) return null;
    for (const target of imports.get(file) ?? []) {
      const cycle = visit(target, [...trail, file]);
      if (cycle !== null) return cycle;
    }
    finished.add(file);
    return null;
  };
  for (const file of sources) {
    const cycle = visit(file, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

describe('the rooms', () => {
  it.each(Object.entries(MAY_IMPORT))('%s imports only from its allowed rooms', (room, allowed) => {
    const offences = sources
      .filter((file) => file.startsWith(`${room}/`))
      .flatMap((file) => (imports.get(file) ?? []).map((target) => ({ file, target })))
      .filter(({ target }) => !allowed.some((prefix) => target.startsWith(prefix)))
      .map(({ file, target }) => `${file} -> ${target}`);
    expect(offences).toEqual([]);
  });

  it('are found at all, with their imports', () => {
    expect(sources).toContain('pipeline/protocol/index.ts');
    expect(imports.get('pipeline/protocol/index.ts')).toContain('pipeline/protocol/job.ts');
  });

  it('have no import cycle', () => {
    expect(findCycle()).toBeNull();
  });

  it('name their files by what is in them', () => {
    const vague = /(^|\/)(utils?|helpers?|common|types?|misc|shared)(\.[a-z.]+$|\/)/;
    expect(sources.filter((file) => vague.test(file))).toEqual([]);
  });

  it(`keep every file within ${LINES_MAX} lines`, () => {
    const long = [...sources, ...filesOf('tests'), ...filesOf('bench')].filter(
      (file) => readFileSync(path.join(root, file), 'utf8').split('\n').length - 1 > LINES_MAX,
    );
    expect(long).toEqual([]);
  });
});
