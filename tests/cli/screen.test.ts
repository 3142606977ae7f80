import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration } from '../../cli/figures.ts';
import { renderProgress } from '../../cli/progress-bar.ts';
import { renderTable } from '../../cli/table.ts';

describe('tables', () => {
  it('align numbers to the right and cut long cells', () => {
    const table = renderTable(
      [{ title: 'name' }, { title: 'n', align: 'right' }],
      [
        ['ada', '5'],
        ['x'.repeat(60), '1,000'],
      ],
    ).split('\n');
    expect(table[0]).toBe(`${'name'.padEnd(40)}      n`);
    expect(table[2]).toBe(`${'ada'.padEnd(40)}      5`);
    expect(table[3]).toBe(`${'x'.repeat(39)}…  1,000`);
  });

  it('let no control character of the data reach the terminal', () => {
    const table = renderTable([{ title: 'a' }], [['\u001b[2Jgone\n']]);
    expect(table).not.toContain('\u001b');
    expect(table).toContain('\\n');
  });

  it('show NULL apart from the empty text', () => {
    expect(
      renderTable([{ title: 'a' }], [[null], ['']])
        .split('\n')
        .slice(2),
    ).toEqual(['NULL', '']);
  });
});

describe('the progress line', () => {
  const view = { bytesReceived: 80e6, bytesProcessed: 50e6, recordsIn: 1000 };

  it('shows share, rate and time left when the size is known', () => {
    const line = renderProgress({ ...view, bytesTotal: 100e6, status: 'processing' }, 2000);
    expect(line).toContain(' 50%  50.0 MB of 100.0 MB  25.0 MB/s  1,000 records  2.0 s left');
    expect(line.startsWith('████████████▒▒▒▒▒▒▒·')).toBe(true);
  });

  it('shows no share when the size is unknown', () => {
    const line = renderProgress({ ...view, bytesTotal: null, status: 'receiving' }, 2000);
    expect(line).toBe('receiving  50.0 MB  25.0 MB/s  1,000 records');
  });
});

describe('figures', () => {
  it('are short and carry their unit', () => {
    expect(formatBytes(999)).toBe('999 B');
    expect(formatBytes(1_500_000)).toBe('1.50 MB');
    expect(formatDuration(61_000)).toBe('1 min 1 s');
  });
});
