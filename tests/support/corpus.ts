import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Need } from './needs.ts';

/** Folder of the shared test data, which is not part of the repository but stands beside it. */
export const corpusFolder = path.resolve(import.meta.dirname, '../../../shared/corpus');

export const corpusNeed: Need = {
  met: existsSync(corpusFolder),
  otherwise: 'the shared corpus is not here',
};
