import { TASKS } from './assignment.ts';
import { median, type Measurement, type Report } from './report.ts';

const WIDTH = 760;
const LABEL_WIDTH = 190;
const VALUE_WIDTH = 90;
const BAR_HEIGHT = 14;
const GAP = 4;
const TITLE_HEIGHT = 26;

/** A chart a data set that was measured: for each task a bar a subject, megabytes of input a second. SVG by name. */
export function chartsOf(report: Report): [name: string, svg: string][] {
  const measured = new Set(report.measurements.map(({ dataset }) => dataset));
  return [...measured].map((name) => [name, chartOf(name, report)]);
}

interface Bar {
  readonly subject: string;
  readonly megabytesPerSecond: number;
}

function chartOf(dataset: string, { measurements, megabytes, machine }: Report): string {
  const title = `${dataset}, ${megabytes} MB: MB/s from start to result (${machine})`;
  const lines: string[] = [text(0, 16, title, 'font-weight="bold"')];
  let y = TITLE_HEIGHT;
  for (const task of TASKS) {
    const bars = measurements
      .filter((one) => one.dataset === dataset && one.task === task && one.verdict === 'same')
      .map(barOf)
      .sort((a, b) => b.megabytesPerSecond - a.megabytesPerSecond);
    const [fastest] = bars;
    if (fastest === undefined) continue;
    y += BAR_HEIGHT;
    lines.push(text(0, y, task, 'font-weight="bold"'));
    y += GAP;
    for (const bar of bars) {
      lines.push(...barLines(bar, y, fastest.megabytesPerSecond));
      y += BAR_HEIGHT + GAP;
    }
    y += GAP;
  }
  const size = `width="${WIDTH}" height="${y + GAP}" viewBox="0 0 ${WIDTH} ${y + GAP}"`;
  // Its own background: it is looked at on white and on black.
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function barOf({ subject, bytes, runs }: Measurement): Bar {
  return { subject, megabytesPerSecond: bytes / 1000 / median(runs.map(({ ms }) => ms)) };
}

function barLines({ subject, megabytesPerSecond }: Bar, y: number, most: number): string[] {
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const width = Math.max(1, (megabytesPerSecond / most) * room).toFixed(1);
  const fill = subject.startsWith('sluice') ? '#1a7f5a' : '#8d99ae';
  const baseline = y + BAR_HEIGHT - 3;
  return [
    text(8, baseline, subject),
    `<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" fill="${fill}"/>`,
    text(LABEL_WIDTH + Number(width) + 6, baseline, megabytesPerSecond.toFixed(0)),
  ];
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" ${attributes} fill="#1b1f24">${escaped}</text>`;
}
