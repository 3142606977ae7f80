import { describe, expect, it } from 'vitest';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import { builtKernel } from '../support/kernel.ts';

const columns = ['a', 'b', 'c'].map((name) => ({ name, type: 'string' as const }));
const plans = {
  plain: '',
  projection: 'steps: [select: [c, a]]',
  filter: 'steps: [{filter: "a <> \'x3\'"}]',
  ndjson: 'write: {format: ndjson}',
};

const chunk = (letter: string) =>
  Buffer.from(
    Array.from({ length: 20_000 }, (_, i) => `${letter}${i},"${letter}, ${i}",${i}\n`).join(''),
  );

// A worker computes the next chunk while the last one's result is being written.
describe('a result', () => {
  it.each(Object.entries(plans))('is not touched by the chunks after it (%s)', (_name, plan) => {
    const input = { format: 'csv' as const, dialect: RFC_4180, columns };
    const { context } = compilePlan(parsePlan(plan), input).waves[0];
    const program = createChunkProgram(context, builtKernel());
    const first = program.run(chunk('x'));
    const before = Buffer.concat([...first.output, first.rejects, first.partial]);
    program.run(chunk('y'));
    program.run(chunk('zzz'));
    const after = Buffer.concat([...first.output, first.rejects, first.partial]);
    expect(after.equals(before)).toBe(true);
    const scalar = createChunkProgram(context).run(chunk('x'));
    expect(before.equals(Buffer.concat([...scalar.output, scalar.rejects, scalar.partial]))).toBe(
      true,
    );
  });
});
