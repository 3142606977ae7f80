import { SluiceError } from '../pipeline/errors.ts';
import type { SniffAnswer } from '../pipeline/protocol/index.ts';
import { startEmbedded } from './embedded-runner.ts';
import { EXIT, type ExitCode } from './failure.ts';
import { formatBytes } from './figures.ts';
import { openInput } from './input-source.ts';
import { readPlan, type PlanFlags } from './plan-source.ts';
import { readSample } from './sample.ts';
import { renderTable } from './table.ts';

const RECORDS_SHOWN = 10;

export interface SniffFlags extends PlanFlags {
  readonly json?: boolean;
}

/** `sluice sniff`: what a file looks like, from its first megabyte. */
export async function sniff(file: string, flags: SniffFlags): Promise<ExitCode> {
  const input = await openInput(file);
  const plan = await readPlan(flags);
  const { bytes, complete } = await readSample(input);
  if (bytes.length === 0) throw new SluiceError('empty-input', `${input.name} is empty`);
  const embedded = await startEmbedded({ workers: 0 });
  try {
    const answer = await embedded.master.service.sniff(
      bytes,
      complete,
      plan.text === '' ? null : plan.text,
    );
    const text = flags.json === true ? JSON.stringify(answer, null, 2) : renderSniff(answer);
    process.stdout.write(`${text}\n`);
    return EXIT.done;
  } finally {
    await embedded.close();
  }
}

export function renderSniff({ input, records, sampleBytes, warnings }: SniffAnswer): string {
  const shown = (text: string): string => (text === '' ? 'none' : JSON.stringify(text));
  const facts: [string, string][] = [
    ['format', input.format],
    ['encoding', input.encoding],
    ['compression', input.compression],
    ['delimiter', shown(input.delimiter)],
    ['quote', shown(input.quote)],
    ['escape', shown(input.escape)],
    ['newline', shown(input.newline)],
    ['header', input.header ? 'yes' : 'no'],
    ['columns', String(input.columns.length)],
    ['looked at', formatBytes(sampleBytes)],
  ];
  const columns = input.columns.map((column) => ({
    title: `${column.name}:${column.type}`,
    align:
      column.type === 'integer' || column.type === 'number'
        ? ('right' as const)
        : ('left' as const),
  }));
  return [
    ...facts.map(([name, value]) => `${name.padEnd(12)}${value}`),
    '',
    renderTable(columns, records.slice(0, RECORDS_SHOWN)),
    ...warnings.map((warning) => `\nwarning: ${warning}`),
  ].join('\n');
}
