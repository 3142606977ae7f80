import { createHash } from 'node:crypto';
import type { PlanWave } from '../../master/driver/wave-planner.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import type { ChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { RESULT_HEAD_BYTES } from '../../pipeline/result/result-format.ts';

/** Records that one task of a later wave takes: some tasks a wave. */
const RECORDS_PER_TASK = 4;

interface Piece {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly sum: string;
  readonly key: string;
}

/** Sorts lines by their text in the second wave, by the text reversed in the third. */
export const planWaveStandIn: PlanWave = (_context, inputs) => {
  const pieces = (inputs.at(-1) ?? []).flatMap((input): Piece[] => {
    if (input === null) return [];
    const lines = JSON.parse(Buffer.from(input.exchange).toString()) as Omit<Piece, 'name'>[];
    return lines.map((line) => ({ ...line, name: `results/${input.taskKey}` }));
  });
  pieces.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const tasks = [];
  for (let at = 0; at < pieces.length; at += RECORDS_PER_TASK) {
    const taken = pieces.slice(at, at + RECORDS_PER_TASK);
    const bytes = taken.reduce((sum, { start, end }) => sum + end - start, 0);
    tasks.push({ document: Buffer.from(JSON.stringify(taken)), bytes });
  }
  return tasks;
};

export function standInProgram(context: ChunkContext): ChunkProgram {
  const { input, exchange } = context;
  if (input === 'chunk') {
    const program = createChunkProgram({ ...context, exchange: null });
    return {
      slices: () => [],
      lookupMemoryBytes: 0,
      run: (bytes) => {
        const result = program.run(bytes);
        const output = [Buffer.concat(result.output)];
        return { ...result, output, exchange: indexOf(output[0]!, (line) => line) };
      },
    };
  }
  const piecesOf = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as Piece[];
  return {
    slices: (bytes) => piecesOf(bytes),
    lookupMemoryBytes: 0,
    run: (bytes, slices = []) => {
      for (const [at, { name, sum }] of piecesOf(bytes).entries()) {
        if (sumOf(slices[at]!) === sum) continue;
        throw new SluiceError('blob-corrupt', `${name} was changed`, { details: { name } });
      }
      const output = Buffer.concat(slices);
      const records = slices.length;
      const none = { rejected: 0, filtered: 0, deduplicated: 0, aggregated: 0 };
      const sizes = { lines: 0, bytesIn: output.length, outputBytes: output.length };
      const counts = { recordsIn: records, recordsOut: records, outputRecords: records };
      return {
        statistics: { ...counts, ...none, ...sizes },
        output: [output],
        rejects: new Uint8Array(0),
        partial: new Uint8Array(0),
        exchange: exchange === null ? new Uint8Array(0) : indexOf(output, reversed),
      };
    },
  };
}

/** What the stand-in makes of all output lines. */
export function sortedLines(output: Buffer, waveCount: number): Buffer {
  const lines = output.toString().split('\n').slice(0, -1);
  if (waveCount > 1) lines.sort();
  if (waveCount > 2) {
    lines.sort((a, b) => (reversed(a) < reversed(b) ? -1 : reversed(a) > reversed(b) ? 1 : 0));
  }
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

function indexOf(output: Buffer, keyOf: (line: string) => string): Uint8Array {
  const lines = [];
  for (let start = 0; start < output.length;) {
    const end = output.indexOf(0x0a, start) + 1;
    const line = output.subarray(start, end);
    lines.push({
      ...{ start: RESULT_HEAD_BYTES + start, end: RESULT_HEAD_BYTES + end, sum: sumOf(line) },
      key: keyOf(line.subarray(0, -1).toString()),
    });
    start = end;
  }
  return Buffer.from(JSON.stringify(lines));
}

function reversed(text: string): string {
  return [...text].reverse().join('');
}

function sumOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
