import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Need } from './needs.ts';

/** Folder of the shared test data, which is not part of the repository. */
export const corpusFolder = path.resolve(
  path.dirname(fileURLToPath(import.meta.url)),
  ...['..', '..', '..', 'shared', 'corpus'],
);

export const corpusNeed: Need = {
  met: existsSync(corpusFolder),
  otherwise: 'the shared corpus is not here',
};
