import type { ChunkResult } from '../../pipeline/execution/chunk-program.ts';
import { outputFrame } from '../../pipeline/execution/output-frame.ts';
import { chunkKey } from '../../pipeline/keys/index.ts';
import { RFC_4180, type Dialect } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import type { ExchangeLimits } from '../../pipeline/limits.ts';
import type { KernelModule } from '../../pipeline/parsing/structural/kernel.ts';
import { Tokenizer } from '../../pipeline/parsing/tokenizer.ts';
import { compilePlan, type CompiledPlan } from '../../pipeline/plan/compile.ts';
import type { Lookup } from '../../pipeline/plan/lookup.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import type { Column, ColumnType } from '../../pipeline/protocol/job.ts';
import { decodeRejects, type RelativeReject } from '../../pipeline/result/relative-reject.ts';
import { FieldSlice } from '../../pipeline/values/field-slice.ts';
import { runWaves } from './run-waves.ts';

export interface RunOptions {
  readonly types?: Readonly<Record<string, ColumnType>>;
  readonly dialect?: Dialect;
  /** Records a chunk; all in one when left out. */
  readonly chunkRecords?: number;
  /** None when left out: the chunks are read without. */
  readonly kernel?: KernelModule;
  /** Lookup files: RFC 4180 with header. */
  readonly lookups?: readonly LookupFile[];
  /** Lookups are cut into parts of so many records; they are held whole when left out. */
  readonly partRecords?: number;
  /** Of what goes from wave to wave; those of production when left out. */
  readonly limits?: ExchangeLimits;
  /** Told of each level of tasks that gathered what a wave reads. */
  readonly onGathered?: (results: readonly ChunkResult[]) => void;
}

export interface LookupFile {
  readonly name: string;
  readonly text: string;
  readonly types?: Readonly<Record<string, ColumnType>>;
}

export interface RunOutcome {
  readonly compiled: CompiledPlan;
  /** Of the first wave. */
  readonly results: readonly ChunkResult[];
  readonly waves: readonly (readonly ChunkResult[])[];
  /** Header, outputs and footer. */
  readonly output: Buffer;
  readonly rejects: readonly RelativeReject[];
}

/** Runs a plan over a whole text with header, cut at record ends by the tokenizer. */
export function runPlan(
  plan: string,
  input: string | Buffer,
  options: RunOptions = {},
): RunOutcome {
  const { compiled, chunks, texts, lookups } = cutPlan(plan, input, options);
  const more = { ...options, lookups: texts, lookupFiles: lookups };
  const waves = runWaves(compiled, chunks, more);
  const { output } = assemble(compiled, waves.at(-1) ?? []);
  const rejects = waves.flat().flatMap((result) => decodeRejects(result.rejects));
  return { compiled, results: waves[0] ?? [], waves, output, rejects };
}

/** What a plan compiles to, the chunks of its input, and the texts of its lookups by key. */
export function cutPlan(
  plan: string,
  input: string | Buffer,
  options: RunOptions = {},
): {
  compiled: CompiledPlan;
  chunks: Uint8Array[];
  texts: Map<string, Uint8Array>;
  lookups: Lookup[];
} {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  const dialect = options.dialect ?? RFC_4180;
  const { names, starts } = cut(bytes, dialect, options.chunkRecords ?? Infinity);
  const columns = columnsOf(names, options.types);
  const files = (options.lookups ?? []).map((file) => lookupOf(file, options.partRecords));
  const lookups = files.map(({ lookup }) => lookup);
  const compiled = compilePlan(parsePlan(plan), { format: 'csv', dialect, columns, lookups });
  const texts = new Map(files.flatMap(({ texts: own }) => own));
  const chunks = starts.map((start, i) => bytes.subarray(start, starts[i + 1] ?? bytes.length));
  return { compiled, chunks, texts, lookups };
}

function columnsOf(names: readonly string[], types: RunOptions['types'] = {}): Column[] {
  return names.map((name) => ({ name, type: types[name] ?? 'string' }));
}

interface CutLookup {
  readonly lookup: Lookup;
  /** By key: the whole, and its parts. */
  readonly texts: readonly (readonly [string, Uint8Array])[];
}

function lookupOf({ name, text, types }: LookupFile, partRecords?: number): CutLookup {
  const bytes = Buffer.from(text);
  const { names, starts } = cut(bytes, RFC_4180, partRecords ?? Infinity);
  const data = bytes.subarray(starts[0]);
  const content = {
    ...{ key: chunkKey(data), format: 'csv' as const, dialect: RFC_4180 },
    columns: columnsOf(names, types),
  };
  const lookup = { name, bytes: data.length, content };
  if (partRecords === undefined) return { lookup, texts: [[content.key, data]] };
  const texts = starts.map((start, i) => {
    const part = bytes.subarray(start, starts[i + 1] ?? bytes.length);
    return [chunkKey(part), part] as const;
  });
  const parts = texts.map(([key, part]) => ({ key, bytes: part.length, lines: 0 }));
  return { lookup: { ...lookup, parts }, texts };
}

export function assemble(
  compiled: CompiledPlan,
  results: readonly ChunkResult[],
): Pick<RunOutcome, 'output' | 'rejects'> {
  const frame = outputFrame(compiled.outputColumns, compiled.waves[0].context.write);
  const body = Buffer.concat(results.flatMap((result) => result.output));
  return {
    output: Buffer.concat([frame.header, body.subarray(frame.skipFirstBytes), frame.footer]),
    rejects: results.flatMap((result) => decodeRejects(result.rejects)),
  };
}

/** Header names and the starts of chunks of so many records. */
function cut(
  bytes: Buffer,
  dialect: Dialect,
  chunkRecords: number,
): { names: string[]; starts: number[] } {
  const index = createRecordIndex();
  const tokenizer = new Tokenizer(dialect, { skipBlankLines: 'never' });
  let at = tokenizer.tokenize(bytes, 0, bytes.length, true, index, 1);
  const slice = new FieldSlice(dialect);
  const names: string[] = [];
  for (let field = 0; field < index.fieldCount; field++) {
    slice.point(bytes, index.fieldStarts[field]!, index.fieldEnds[field]!);
    names.push(Buffer.from(slice.bytes.subarray(slice.start, slice.end)).toString());
  }
  const starts = [at];
  if (chunkRecords === Infinity) return { names, starts };
  while (at < bytes.length) {
    at = tokenizer.tokenize(bytes, at, bytes.length, true, index, chunkRecords);
    if (at < bytes.length) starts.push(at);
  }
  return { names, starts };
}
