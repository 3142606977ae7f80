import type { Job } from '../pipeline/protocol/index.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from './figures.ts';

/** Redraws at most this often. */
const REDRAW_MS = 100;
const BAR_CHARS = 24;

export interface ProgressView {
  readonly bytesReceived: number;
  /** Null when unknown. */
  readonly bytesTotal: number | null;
  readonly bytesProcessed: number;
  readonly recordsIn: number;
  readonly status: Job['status'];
}

/**
 * One line on stderr that is rewritten in place: bytes, rate, records, time left. Draws only when
 * stderr is a terminal, and leaves an empty line behind when it is cleared.
 */
export class ProgressBar {
  private readonly terminal: NodeJS.WriteStream;
  private readonly startedMs = Date.now();
  private timer: NodeJS.Timeout | null = null;
  private drawn = '';

  constructor(terminal: NodeJS.WriteStream) {
    this.terminal = terminal;
  }

  /** Asks `view` for the state and draws it until `stop`. */
  start(view: () => ProgressView | null): void {
    if (!this.terminal.isTTY) return;
    this.timer = setInterval(() => {
      const state = view();
      if (state !== null) this.draw(renderProgress(state, Date.now() - this.startedMs));
    }, REDRAW_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    if (this.drawn !== '') this.terminal.write('\r\x1b[2K');
    this.drawn = '';
  }

  private draw(line: string): void {
    const cut = line.slice(0, Math.max(20, this.terminal.columns - 1));
    if (cut === this.drawn) return;
    // Overwrites in place and clears only the rest, in one write: nothing to flicker.
    this.terminal.write(`\r${cut}\x1b[K`);
    this.drawn = cut;
  }
}

/** The line as text, without control characters. */
export function renderProgress(view: ProgressView, elapsedMs: number): string {
  const rate = formatRate(view.bytesProcessed, elapsedMs);
  const records = `${formatCount(view.recordsIn)} records`;
  if (view.bytesTotal === null || view.bytesTotal === 0) {
    return `${view.status}  ${formatBytes(view.bytesProcessed)}  ${rate}  ${records}`;
  }
  const share = Math.min(1, view.bytesProcessed / view.bytesTotal);
  const received = Math.min(1, view.bytesReceived / view.bytesTotal);
  const bytes = `${formatBytes(view.bytesProcessed)} of ${formatBytes(view.bytesTotal)}`;
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const left = timeLeft(share, elapsedMs);
  return `${bar(share, received)}${percent}  ${bytes}  ${rate}  ${records}${left}`;
}

/** Full blocks for what is processed, light ones for what has only arrived. */
function bar(processed: number, received: number): string {
  const full = Math.floor(processed * BAR_CHARS);
  const light = Math.max(0, Math.floor(received * BAR_CHARS) - full);
  return `${'█'.repeat(full)}${'▒'.repeat(light)}${'·'.repeat(BAR_CHARS - full - light)}`;
}

function timeLeft(share: number, elapsedMs: number): string {
  if (share < 0.02 || share >= 1) return '';
  return `  ${formatDuration((elapsedMs * (1 - share)) / share)} left`;
}
