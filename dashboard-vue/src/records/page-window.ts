/**
 * Pages of a list that is read by offset and may still grow, kept by page number. Complete pages are
 * kept; a page that was short when it came is asked for again once more items are there.
 */
export interface ItemPage<Item> {
  readonly items: readonly Item[];
  /** Items that can be had now. */
  readonly available: number;
}

export interface PageWindow<Item> {
  item(index: number): Item | undefined;
  /** Fetches what of [start, end) is missing. One fetch a page at a time. */
  ensure(start: number, end: number): Promise<void>;
  clear(): void;
}

const PAGES_MAX = 60;

export function createPageWindow<Item>(
  pageSize: number,
  fetchPage: (offset: number, limit: number) => Promise<ItemPage<Item>>,
  onAvailable: (available: number) => void,
): PageWindow<Item> {
  const pages = new Map<number, readonly Item[]>();
  const pending = new Map<number, Promise<void>>();
  let generation = 0;

  async function load(number: number): Promise<void> {
    const born = generation;
    const page = await fetchPage(number * pageSize, pageSize);
    if (born !== generation) return;
    pages.delete(number);
    pages.set(number, page.items);
    onAvailable(page.available);
  }
  const evict = (first: number, last: number) => {
    for (const number of pages.keys()) {
      if (pages.size <= PAGES_MAX) return;
      if (number < first || number > last) pages.delete(number);
    }
  };

  return {
    item: (index) => pages.get(Math.floor(index / pageSize))?.[index % pageSize],
    async ensure(start, end) {
      if (end <= start) return;
      const first = Math.floor(start / pageSize);
      const last = Math.floor((end - 1) / pageSize);
      const loads: Promise<void>[] = [];
      for (let number = first; number <= last; number += 1) {
        const have = pages.get(number)?.length ?? -1;
        const wanted = Math.min(pageSize, end - number * pageSize);
        if (have >= wanted) continue;
        const running = pending.get(number) ?? load(number).finally(() => pending.delete(number));
        pending.set(number, running);
        loads.push(running);
      }
      await Promise.all(loads);
      evict(first, last);
    },
    clear() {
      generation += 1;
      pages.clear();
      pending.clear();
    },
  };
}
