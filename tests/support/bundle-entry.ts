import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface BundledEntry {
  /** A script that Node runs as it is. */
  readonly path: string;
  remove(): void;
}

/** A TypeScript entry as one script, for tests that start it as a process. Packages stay outside. */
export async function bundleEntry(entry: string): Promise<BundledEntry> {
  const name = path.basename(entry, '.ts');
  // Below node_modules, so that packages are found from there.
  const outDir = path.join(root, 'node_modules', '.cache', `sluice-${name}-${process.pid}`);
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    build: {
      ssr: path.resolve(root, entry),
      outDir,
      emptyOutDir: true,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: `${name}.mjs` } },
    },
  });
  return {
    path: path.join(outDir, `${name}.mjs`),
    remove: () => rmSync(outDir, { recursive: true, force: true }),
  };
}
