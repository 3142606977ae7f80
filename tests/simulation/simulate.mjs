// Bundles the simulation, which runs faster than file by file under a test runner, and starts it.
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { onSimulatedFiles } from './on-simulated-files.mjs';

const root = path.join(import.meta.dirname, '..', '..');
// Under the root, so that packages are found.
const folder = mkdtempSync(path.join(root, 'node_modules', '.simulate-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const bundle = await rolldown({
  cwd: root,
  platform: 'node',
  plugins: [onSimulatedFiles],
  input: 'tests/simulation/simulate.ts',
  external: (id) =>
    !id.startsWith('.') && !path.isAbsolute(id) && id !== 'tests/simulation/simulate.ts',
});
await bundle.write({ dir: folder, format: 'esm', sourcemap: true, entryFileNames: 'simulate.js' });
process.setSourceMapsEnabled(true);
await import(pathToFileURL(path.join(folder, 'simulate.js')).href);
