import { createReadStream } from 'node:fs';
import { inferSchema, initParser, type Parser } from 'udsv';
import { assignmentFromArguments, report } from '../assignment.ts';
import { recordTask } from '../record-task.ts';

const assignment = assignmentFromArguments();
const task = recordTask(assignment);
const take = (record: string[]): void => task.take(record);
let parser: Parser | null = null;
const text = createReadStream(assignment.file, { encoding: 'utf8', highWaterMark: 1 << 20 });
for await (const part of text as AsyncIterable<string>) {
  parser ??= initParser(inferSchema(part));
  parser.chunk<string[]>(part, parser.stringArrs, take);
}
parser?.end();
task.finish();
report({ ms: null });
