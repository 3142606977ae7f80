// How the server is built. Each of its processes and threads is one large script of what it always
// needs, and small ones of what it needs at times: many files start slowly, and only a script can be
// kept compiled (see start.cjs). Types are not checked here, see `npm run typecheck`.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'rolldown';

const root = path.join(import.meta.dirname, '..');

/** Packages of many small modules: they come inside, with what they need but native parts. */
const INSIDE = [
  'typebox',
  'commander',
  'yaml',
  'p-limit',
  'pino',
  'stream-json',
  'stream-chain',
  're2js',
  // Modules that `require` would warn of.
  '@tus/server',
  'hyparquet-writer',
  'libsql',
  'zstddec',
];

const subjects = readdirSync(path.join(root, 'bench', 'subjects'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map((name) => `bench/subjects/${name}`);

const common = {
  resolve: { alias: { '@neon-rs/load': path.join(import.meta.dirname, 'libsql-target.cjs') } },
  // What a run loads while the threads start, a server has in its first file.
  checks: { ineffectiveDynamicImport: false },
  cwd: root,
  platform: 'node',
  external: (id, importer) =>
    id.startsWith('node:') || (/^[@a-z]/.test(id) && !isInside(id) && !isPackage(importer)),
};

export default defineConfig([
  program('cli/main', [
    // In the order in which a run needs them: threads and workers start before the master is loaded.
    { name: 'base', test: /\/cli\/(failure|plan-source)\.ts$|\/commander\//, priority: 2 },
    { name: 'run', test: /\/cli\/run\.ts$/, priority: 1 },
    { name: 'master', test: /\/master\/main\.ts$/ },
  ]),
  program('worker/main'),
  program('master/ingest/ingest-thread'),
  {
    ...common,
    input: inputs(['bench/main', 'bench/kernel', 'bench/coordinator', ...subjects]),
    plugins: [writes('bench/package.json', '{ "type": "module" }\n')],
    output: {
      ...{ dir: 'dist', format: 'esm', sourcemap: true },
      // Beside the entries: files find each other by their own place.
      chunkFileNames: 'bench/[name]-[hash].js',
    },
  },
]);

/** A script that starts by its name, and finds its parts by names that their content is in. */
function program(entry, groups = []) {
  const room = path.dirname(entry);
  const fileNames = `${room}/[name]-[hash].js`;
  return {
    ...common,
    input: { [path.basename(entry)]: `${entry}.ts` },
    plugins: [
      writes('package.json', '{ "type": "commonjs" }\n'),
      writes('start.cjs', readFileSync(path.join(import.meta.dirname, 'start.cjs'))),
      asAscii(),
      starts(entry),
    ],
    output: {
      ...{ dir: 'dist', format: 'cjs', dynamicImportInCjs: false, sourcemap: true },
      ...{ entryFileNames: fileNames, chunkFileNames: fileNames, codeSplitting: { groups } },
    },
  };
}

/**
 * Text of one byte a character is taken as it is; any other is decoded, into twice as much. At the
 * end of all: what is escaped before is written plainly again. Lines stay as they are, for the map.
 */
function asAscii() {
  const escaped = (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return {
    name: 'as-ascii',
    generateBundle(_options, bundle) {
      for (const part of Object.values(bundle)) {
        if (part.type === 'chunk') part.code = part.code.replace(/[\u0080-\uffff]/g, escaped);
      }
    },
  };
}

function starts(entry) {
  return {
    name: 'starts',
    generateBundle(_options, bundle) {
      const { fileName } = Object.values(bundle).find(({ isEntry }) => isEntry);
      const start = path.relative(path.dirname(entry), 'start.cjs');
      const script = `require('${start}')(require.resolve('./${path.basename(fileName)}'));\n`;
      const source = `#!/usr/bin/env node\n${script}`;
      this.emitFile({ type: 'asset', fileName: `${entry}.js`, source });
    },
  };
}

function writes(fileName, source) {
  return {
    name: 'writes',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName, source });
    },
  };
}

function inputs(entries) {
  return Object.fromEntries(
    entries.map((entry) => entry.replace(/\.ts$/, '')).map((entry) => [entry, `${entry}.ts`]),
  );
}

function isPackage(file) {
  return file?.includes('node_modules') ?? false;
}

function isInside(id) {
  const isRoom = /^(cli|worker|master|bench)\//.test(id);
  return isRoom || INSIDE.some((name) => id === name || id.startsWith(`${name}/`));
}
