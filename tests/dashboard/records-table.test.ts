import { describe, expect, it } from 'vitest';
import { createPageWindow } from '../../dashboard-vue/src/records/page-window.ts';
import {
  columnsInView,
  rowsInView,
  spacerHeight,
  stretchedWidths,
} from '../../dashboard-vue/src/records/table-geometry.ts';

describe('pages of records', () => {
  function list(total: { count: number }) {
    const asked: number[] = [];
    const seen: number[] = [];
    const pages = createPageWindow<string>(
      10,
      async (offset, limit) => {
        asked.push(offset);
        const end = Math.min(total.count, offset + limit);
        const items = Array.from(
          { length: Math.max(0, end - offset) },
          (_, at) => `r${offset + at}`,
        );
        return { items, available: total.count };
      },
      (available) => seen.push(available),
    );
    return { asked, seen, pages };
  }

  it('are fetched once each, and only where looked at', async () => {
    const { asked, pages } = list({ count: 100 });
    await Promise.all([pages.ensure(25, 35), pages.ensure(28, 40)]);
    await pages.ensure(20, 40);
    expect(asked).toEqual([20, 30]);
    expect(pages.item(25)).toBe('r25');
    expect(pages.item(5)).toBeUndefined();
  });

  it('are asked for again when a short page has grown', async () => {
    const total = { count: 4 };
    const { asked, seen, pages } = list(total);
    await pages.ensure(0, 4);
    total.count = 25;
    await pages.ensure(0, 20);
    expect(asked).toEqual([0, 0, 10]);
    expect(pages.item(19)).toBe('r19');
    expect(seen.at(-1)).toBe(25);
  });

  it('stay bounded in number, and those in view stay', async () => {
    const { asked, pages } = list({ count: 10_000 });
    for (let start = 0; start < 2000; start += 10) await pages.ensure(start, start + 10);
    expect(pages.item(1995)).toBe('r1995');
    expect(pages.item(0)).toBeUndefined();
    await pages.ensure(0, 10);
    expect(asked.filter((offset) => offset === 0)).toHaveLength(2);
  });

  it('do not take an answer that was asked for before a clear', async () => {
    let answer: (page: { items: string[]; available: number }) => void = () => {};
    const pages = createPageWindow<string>(
      10,
      () => new Promise((resolve) => (answer = resolve)),
      () => {},
    );
    const waiting = pages.ensure(0, 1);
    pages.clear();
    answer({ items: ['old'], available: 1 });
    await waiting;
    expect(pages.item(0)).toBeUndefined();
  });
});

describe('geometry of a virtual table', () => {
  it('shows the records at the scroll position, and some around them', () => {
    const { start, end, top } = rowsInView(1000, 100, 10, 1000);
    expect(start).toBeLessThanOrEqual(100);
    expect(end).toBeGreaterThanOrEqual(110);
    expect(end - start).toBeLessThan(40);
    expect(top).toBe(start * 10);
  });

  it.each([5, 1000, 400_000, 50_000_000])('reaches first and last of %d records', (count) => {
    const height = spacerHeight(33, count);
    expect(height).toBeLessThanOrEqual(12_000_000);
    expect(rowsInView(0, 480, 33, count).start).toBe(0);
    expect(rowsInView(height - 480, 480, 33, count).end).toBe(count);
  });

  it('draws the last record within the scrolled element', () => {
    const count = 50_000_000;
    const height = spacerHeight(33, count);
    const { start, end, top } = rowsInView(height - 480, 480, 33, count);
    expect(top + (end - start) * 33).toBeCloseTo(height, 0);
  });

  it('shows only the fields in view', () => {
    const widths = Array.from({ length: 20_000 }, () => 100);
    const shown = columnsInView(widths, 5000, 800);
    expect(shown[0]).toMatchObject({ index: 49, left: 4900 });
    expect(shown.length).toBeLessThan(12);
  });

  it('fills the view when the fields are narrow, and never shrinks them', () => {
    expect(stretchedWidths([100, 300], 800)).toEqual([200, 600]);
    expect(stretchedWidths([500, 600], 800)).toEqual([500, 600]);
    expect(stretchedWidths([], 800)).toEqual([]);
    expect(stretchedWidths([100, 100, 100], 800)).toEqual([266, 266, 268]);
  });
});
