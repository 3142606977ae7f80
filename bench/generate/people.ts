import type { Dataset } from '../dataset.ts';

const NAMES = ['Ada', 'Zoë', '李雷', 'Jörg ""JJ"" Müller', 'O’Neil, Pat', 'Иван', 'Grace Hopper'];
const NOTES = [
  'plain',
  'two\nlines',
  'a ""quoted"" word',
  'comma, inside',
  'grüße 🙂',
  'ok',
  'n/a',
];
const COUNTRIES = ['DE', 'FR', 'IT', 'PL', 'US', 'JP', 'BR', 'NG'];

/** Quoted fields with delimiters, quotes and line breaks inside, and UTF-8 of every length. */
export const people: Dataset = {
  name: 'people',
  version: 1,
  columns: ['id', 'name', 'country', 'amount', 'born', 'note'],
  numbers: { amount: 'DECIMAL(18,2)' },
  record(number, random) {
    const pick = (list: readonly string[]): string =>
      list[Math.floor(random() * list.length)] ?? '';
    const day = String(1 + Math.floor(random() * 28)).padStart(2, '0');
    return [
      String(number).padStart(9, '0'),
      `"${pick(NAMES)} ${Math.floor(random() * 1e6)}"`,
      pick(COUNTRIES),
      ((random() - 0.2) * 10_000).toFixed(2),
      `19${50 + Math.floor(random() * 50)}-0${1 + Math.floor(random() * 9)}-${day}`,
      `"${pick(NOTES)}"`,
    ].join(',');
  },
  filter: {
    conditions: [
      { column: 'country', op: 'in', values: ['DE', 'FR'] },
      { column: 'amount', op: '>', value: 0 },
    ],
    columns: ['id', 'name', 'amount', 'note'],
  },
  group: { by: 'country', value: 'amount' },
  many: { by: 'name', value: 'amount' },
  sort: { by: 'amount', then: 'id' },
};
