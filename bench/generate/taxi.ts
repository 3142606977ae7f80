import type { Dataset } from '../dataset.ts';

/** Numbers and times, nothing quoted: what exports of trips and measurements look like. */
export const taxi: Dataset = {
  name: 'taxi',
  version: 1,
  columns: [
    ...['trip_id', 'vendor', 'pickup', 'dropoff', 'passengers', 'distance'],
    ...['zone', 'payment', 'fare', 'tip', 'total'],
  ],
  numbers: {
    passengers: 'INTEGER',
    distance: 'DECIMAL(9,2)',
    fare: 'DECIMAL(9,2)',
    tip: 'DECIMAL(9,2)',
    total: 'DECIMAL(9,2)',
  },
  record(number, random) {
    const distance = (random() * 30).toFixed(2);
    const fare = (3 + random() * 60).toFixed(2);
    const tip = (random() * 12).toFixed(2);
    const minute = String(Math.floor(random() * 60)).padStart(2, '0');
    const hour = String(Math.floor(random() * 23)).padStart(2, '0');
    const day = `2026-03-${String(1 + (number % 28)).padStart(2, '0')}`;
    return [
      String(number),
      random() < 0.6 ? 'CMT' : 'VTS',
      `${day} ${hour}:${minute}:07`,
      `${day} ${hour}:${minute}:59`,
      String(1 + Math.floor(random() * 6)),
      distance,
      `Z${Math.floor(random() * 260)}`,
      ['card', 'cash', 'dispute', 'free'][Math.floor(random() * 4)] ?? 'card',
      fare,
      tip,
      (Number(fare) + Number(tip)).toFixed(2),
    ].join(',');
  },
  filter: {
    conditions: [
      { column: 'passengers', op: '>=', value: 2 },
      { column: 'distance', op: '>', value: 3 },
    ],
    columns: ['trip_id', 'distance', 'zone', 'total'],
  },
  group: { by: 'payment', value: 'fare' },
  many: { by: 'trip_id', value: 'fare' },
  sort: { by: 'fare', then: 'trip_id' },
};
