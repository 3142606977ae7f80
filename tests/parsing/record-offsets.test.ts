import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import { Tokenizer } from '../../pipeline/parsing/tokenizer.ts';
import { corpusFolder } from '../support/corpus.ts';
import { describeWith } from '../support/needs.ts';

const oracle = path.join(corpusFolder, 'scorer', 'record_offsets.py');
const folder = path.join(corpusFolder, 'realdata');
const FILES = ['airports.csv', 'birdstrikes.csv', 'country-indicators.csv', 'iris.csv'];
const isThere = existsSync(oracle) && FILES.every((file) => existsSync(path.join(folder, file)));
const hasPython = spawnSync('python3', ['--version']).status === 0;

describeWith(
  { met: isThere && hasPython, otherwise: 'needs the corpus beside the repository, and python3' },
  'record starts in real files',
  () => {
    it.each(FILES)('are those of an independent reader: %s', (file) => {
      const bytes = readFileSync(path.join(folder, file));
      const start = bytes[0] === 0xef ? 3 : 0;
      const index = createRecordIndex();
      new Tokenizer(RFC_4180, { skipBlankLines: 'never' }).tokenize(
        ...([bytes, start, bytes.length, true, index] as const),
      );
      const offsets = execFileSync('python3', [oracle, path.join(folder, file), '--list'], {
        maxBuffer: 2 ** 28,
      });
      const expected = JSON.parse(offsets.toString()) as number[];
      expect(expected.length).toBeGreaterThan(100);
      expect([...index.recordStarts.subarray(0, index.recordCount)]).toEqual(expected);
    });
  },
);
