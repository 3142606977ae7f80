// How the server is built: few files, because a process that reads hundreds of them starts in a second.
// Types are not checked here, see `npm run typecheck`.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'rolldown';

const root = path.join(import.meta.dirname, '..');

/** Packages of many small modules and no native part: they come inside, with what they need. */
const INSIDE = [
  'typebox',
  'commander',
  'yaml',
  'p-limit',
  'pino',
  'stream-json',
  'stream-chain',
  're2js',
];

const subjects = readdirSync(path.join(root, 'bench', 'subjects'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map((name) => `bench/subjects/${name}`);
const entries = [
  ...['cli/main.ts', 'worker/main.ts', 'master/ingest/ingest-thread.ts'],
  ...['bench/main.ts', 'bench/kernel.ts', 'bench/coordinator.ts'],
  ...subjects,
];

export default defineConfig({
  cwd: root,
  platform: 'node',
  input: Object.fromEntries(entries.map((entry) => [entry.replace(/\.ts$/, ''), entry])),
  external: (id, importer) =>
    id.startsWith('node:') || (/^[@a-z]/.test(id) && !isInside(id) && !isPackage(importer)),
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    chunkFileNames: 'shared/[name]-[hash].js',
  },
});

function isPackage(file) {
  return file?.includes('node_modules') ?? false;
}

function isInside(id) {
  const isRoom = /^(cli|worker|master|bench)\//.test(id);
  return isRoom || INSIDE.some((name) => id === name || id.startsWith(`${name}/`));
}
