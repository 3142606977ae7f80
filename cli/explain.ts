import { stat } from 'node:fs/promises';
import { SluiceError } from '../pipeline/errors.ts';
import { LIMITS } from '../pipeline/limits.ts';
import { RFC_4180 } from '../pipeline/parsing/dialect.ts';
import { checkPlan } from '../pipeline/plan/check.ts';
import type { Lookup } from '../pipeline/plan/lookup.ts';
import { parsePlan } from '../pipeline/plan/parse.ts';
import { renderColumns } from '../pipeline/plan/render-step.ts';
import type { InputDescription, PlanCheckAnswer } from '../pipeline/protocol/index.ts';
import { sniffSample } from '../master/ingest/sniff-sample.ts';
import { EXIT, type ExitCode } from './failure.ts';
import { openInput } from './input-source.ts';
import { lookupSources } from './lookup-source.ts';
import { planFolder, readPlan, type PlanFlags } from './plan-source.ts';
import { readSample } from './sample.ts';

/** `sluice run --explain`: what the plan will do with the file, of which no more is read than to sniff. */
export async function explain(file: string, flags: PlanFlags): Promise<ExitCode> {
  const { text } = await readPlan(flags);
  const input = await sniffFile(file, text);
  const sources = lookupSources(text, planFolder(flags), flags.lookup ?? []);
  const lookups: Lookup[] = [];
  for (const source of sources) {
    const { format, columns } = await sniffFile(source.path, '');
    const lines = format === 'csv' ? ('csv' as const) : ('ndjson' as const);
    const content = { key: '', format: lines, dialect: RFC_4180, columns };
    const { size } = await stat(source.path);
    // As large as it is, which for a compressed one is not all there is.
    const parts = size > LIMITS.lookupHeldBytesMax ? { parts: [] } : {};
    lookups.push({ name: source.name, bytes: size, content, ...parts });
  }
  const answer = checkPlan(text, { ...input, dialect: RFC_4180, lookups });
  if (!answer.valid) {
    const message = answer.issues[0]?.message ?? 'The plan is wrong';
    throw new SluiceError('plan-invalid', message, { details: { issues: answer.issues } });
  }
  const { write } = parsePlan(text);
  process.stdout.write(`${renderExplanation(input, answer, write.format)}\n`);
  return EXIT.done;
}

async function sniffFile(file: string, plan: string): Promise<InputDescription> {
  const input = await openInput(file);
  const { bytes, complete } = await readSample(input);
  if (bytes.length === 0) throw new SluiceError('empty-input', `${input.name} is empty`);
  return (await sniffSample(bytes, complete, parsePlan(plan))).input;
}

/** Input, steps by wave with the columns that each leaves, output. Steps stand in the plan's order. */
export function renderExplanation(
  input: Pick<InputDescription, 'format' | 'columns'>,
  { steps, waves, outputColumns }: PlanCheckAnswer,
  format: string,
): string {
  const lines = [`input   ${input.format}: ${renderColumns(input.columns)}`];
  let heading: number | null = 0;
  for (const [i, { kind, scope, text, wave, lastWave, columns }] of steps.entries()) {
    const current: number | null = wave === null ? null : Math.max(wave, heading ?? wave);
    if (current !== heading) {
      const where = current === null ? 'groups, merged' : `wave ${current} of ${waves ?? current}`;
      lines.push('', where);
    }
    heading = current;
    const early = wave === current ? '' : ` (done in wave ${wave})`;
    const note = lastWave === wave ? early : ` (ends in wave ${lastWave})`;
    lines.push(`${String(i + 1).padStart(3)} ${kind.padEnd(10)} ${scope.padEnd(9)} ${text}${note}`);
    lines.push(`${' '.repeat(25)}-> ${renderColumns(columns ?? [])}`);
  }
  if (steps.length === 0) lines.push('', 'no steps: records are written as they are');
  return [...lines, '', `output  ${format}: ${renderColumns(outputColumns ?? [])}`].join('\n');
}
