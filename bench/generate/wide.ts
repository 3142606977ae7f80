import type { Dataset } from '../dataset.ts';

const COLUMN_COUNT = 100;
const columns = Array.from({ length: COLUMN_COUNT }, (_, index) => `c${index}`);

/** A hundred columns: a key, then whole numbers, decimals, words and empty cells in turn. */
export const wide: Dataset = {
  name: 'wide',
  version: 1,
  columns,
  numbers: { c1: 'INTEGER' },
  record(_, random) {
    const cells = columns.map((_column, index) => {
      const value = random();
      if (index === 0) return `k${Math.floor(value * 8)}`;
      if (index % 4 === 1) return String(Math.floor(value * 1000));
      if (index % 4 === 2) return (value * 100).toFixed(3);
      if (index % 4 === 3) return `word${Math.floor(value * 50)}`;
      return value < 0.5 ? '' : 'y';
    });
    return cells.join(',');
  },
  filter: {
    conditions: [{ column: 'c1', op: '>', value: 500 }],
    columns: ['c0', 'c1', 'c50', 'c99'],
  },
  group: { by: 'c0', value: 'c1' },
  many: null,
  sort: null,
};
