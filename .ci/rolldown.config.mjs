// How the server is built: few files, because a process that reads hundreds of them starts in a second.
// Types are not checked here, see `npm run typecheck`.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'rolldown';

const root = path.join(import.meta.dirname, '..');

/** Packages of many small modules, without native parts or files of their own: they come inside. */
const INSIDE = ['typebox', 'commander', 'yaml', 'p-limit'];

const subjects = readdirSync(path.join(root, 'bench', 'subjects'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map((name) => `bench/subjects/${name}`);
const entries = [
  ...['cli/main.ts', 'worker/main.ts', 'master/ingest/ingest-thread.ts', 'bench/main.ts'],
  ...subjects,
];

export default defineConfig({
  cwd: root,
  platform: 'node',
  input: Object.fromEntries(entries.map((entry) => [entry.replace(/\.ts$/, ''), entry])),
  external: (id) => /^[@a-z]/.test(id) && !isInside(id),
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    chunkFileNames: 'shared/[name]-[hash].js',
  },
});

function isInside(id) {
  const isRoom = /^(cli|worker|master|bench)\//.test(id);
  return isRoom || INSIDE.some((name) => id === name || id.startsWith(`${name}/`));
}
