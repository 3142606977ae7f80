import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { Chunker } from '../../pipeline/chunking/chunker.ts';
import { CHUNK_LIMITS } from '../../pipeline/limits.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { loadKernel } from '../../worker/kernel.ts';
import { assignmentFromArguments, report } from '../assignment.ts';

/** One core: read, find record ends, cut, and hash each chunk. Stores and parses nothing. */
const { file } = assignmentFromArguments();
const kernel = loadKernel();
const startedMs = performance.now();
const chunker = new Chunker(RFC_4180, CHUNK_LIMITS, { kernel });
const source = openSync(file, 'r');
const buffer = Buffer.alloc(1 << 20);
for (let length = 1; length > 0;) {
  length = readSync(source, buffer);
  for (const chunk of chunker.push(buffer.subarray(0, length))) hash(chunk.bytes);
}
for (const chunk of chunker.finish()) hash(chunk.bytes);
closeSync(source);
report({ ms: performance.now() - startedMs });

function hash(bytes: Uint8Array): void {
  createHash('sha256').update(bytes).digest();
}
