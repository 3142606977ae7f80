import { readFileSync } from 'node:fs';
import { Chunker } from '../../pipeline/chunking/chunker.ts';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import { CHUNK_LIMITS } from '../../pipeline/limits.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { loadKernel } from '../../worker/kernel.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import { assignmentFromArguments, planFor, report } from '../assignment.ts';
import { medianPassCpuMs } from '../passes.ts';

/** One core: the plan's first wave over chunks that are in memory already. Reads and stores nothing. */
const assignment = assignmentFromArguments();
const { dataset, file, passes } = assignment;
const columns = dataset.columns.map((name) => ({
  name,
  type: Object.hasOwn(dataset.numbers, name) ? ('number' as const) : ('string' as const),
}));
const kernel = loadKernel();
const plan = parsePlan(planFor(assignment));
const { context } = compilePlan(plan, { format: 'csv', dialect: RFC_4180, columns }).waves[0];
const program = createChunkProgram(context, kernel);
const bytes = readFileSync(file);
const chunker = new Chunker(RFC_4180, CHUNK_LIMITS, { kernel });
const chunks = [...chunker.push(bytes.subarray(bytes.indexOf('\n') + 1)), ...chunker.finish()];
const startedMs = performance.now();
runChunks();
const ms = performance.now() - startedMs;
report(passes > 1 ? { ms, passCpuMs: await medianPassCpuMs(passes - 1, runChunks) } : { ms });

function runChunks(): void {
  for (const chunk of chunks) program.run(chunk.bytes);
}
