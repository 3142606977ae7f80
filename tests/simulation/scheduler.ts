import type { Random } from './random.ts';

interface Entry {
  readonly atMs: number;
  /** Decides between entries of the same moment. */
  readonly order: number;
  readonly label: string;
  run: (() => void) | null;
}

const TRACE_KEPT = 400;

/**
 * Virtual time, and whatever happens in it: everything that waits (for the network, the disk, a
 * timer) is an entry here, and one entry at a time is let go, by its time and then by chance.
 */
export class Scheduler {
  nowMs = 0;
  steps = 0;
  /** Of all labels with their times so far: equal for equal runs. */
  traceHash = 0x811c9dc5;
  readonly #random: Random;
  readonly #heap: Entry[] = [];
  readonly #trace: string[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Runs `action` after `delayMs`. Returns what calls it off. */
  after(delayMs: number, label: string, action: () => void): () => void {
    const atMs = this.nowMs + Math.max(0, delayMs);
    const entry: Entry = { atMs, order: this.#random.next(), label, run: action };
    this.#push(entry);
    return () => {
      entry.run = null;
    };
  }

  /** Lets the next entry go and everything that follows from it at once. False when none is left. */
  async step(): Promise<boolean> {
    const entry = this.#pop();
    if (entry === undefined) return false;
    if (entry.run === null) return true;
    this.nowMs = entry.atMs;
    this.steps += 1;
    this.note(entry.label);
    entry.run();
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  }

  /** Puts a line into the trace. */
  note(text: string): void {
    const line = `${this.nowMs.toFixed(3)} ${text}`;
    for (let i = 0; i < line.length; i++) {
      this.traceHash = Math.imul(this.traceHash ^ line.charCodeAt(i), 0x01000193) >>> 0;
    }
    this.#trace.push(line);
    if (this.#trace.length > 2 * TRACE_KEPT) this.#trace.splice(0, TRACE_KEPT);
  }

  /** The last lines. */
  trace(): string[] {
    return this.#trace.slice(-TRACE_KEPT);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    heap.push(entry);
    let at = heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
