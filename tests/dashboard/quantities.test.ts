import { describe, expect, it } from 'vitest';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatMark,
  formatRate,
  formatShare,
} from '../../dashboard-vue/src/format/quantities.ts';

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 KB'],
    [1536, '1.54 KB'],
    [15_360_000, '15.4 MB'],
    [999_600, '1 MB'],
    [1_240_000_000, '1.24 GB'],
    [2e15, '2 PB'],
    [5e18, '5,000 PB'],
  ])('%d bytes read as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('are a dash when unknown', () => {
    expect([formatBytes(null), formatRate(null), formatCount(null), formatDuration(null)]).toEqual([
      '–',
      '–',
      '–',
      '–',
    ]);
  });
});

describe('shares', () => {
  it('never claim to be whole or nothing before they are', () => {
    expect(formatShare(0.99999)).toBe('>99.9%');
    expect(formatShare(1)).toBe('100%');
    expect(formatShare(0.00001)).toBe('<0.1%');
    expect(formatShare(0)).toBe('0%');
    expect(formatShare(0.4567)).toBe('45.7%');
  });
});

describe('durations', () => {
  it.each([
    [12.4, '12 ms'],
    [1500, '1.5 s'],
    [12_400, '12 s'],
    [60_000, '1 min'],
    [185_000, '3 min 5 s'],
    [7_800_000, '2 h 10 min'],
    [273_600_000, '3 d 4 h'],
  ])('%d ms read as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('ages', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  it.each([
    ['2026-11-22T11:59:58Z', 'now'],
    ['2026-11-22T11:59:30Z', '30s ago'],
    ['2026-11-22T11:15:00Z', '45m ago'],
    ['2026-11-22T09:00:00Z', '3h ago'],
    ['2026-11-20T09:00:00Z', '2d ago'],
  ])('%s is %s', (iso, text) => {
    expect(formatAge(iso, now)).toBe(text);
  });

  it('do not lie in the future when the clocks differ', () => {
    expect(formatAge('2026-11-22T12:03:00Z', now)).toBe('now');
  });
});

describe('marks', () => {
  it('can be told apart, and names of object members are no marks', () => {
    expect(formatMark('\t')).toBe('tab');
    expect(formatMark('')).toBe('none');
    expect(formatMark('toString')).toBe('toString');
    expect(formatMark('||')).toBe('||');
  });
});
