import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { assignmentFromArguments, report } from '../assignment.ts';
import { recordTask } from '../record-task.ts';

const assignment = assignmentFromArguments();
const task = recordTask(assignment);
const records = createReadStream(assignment.file, { highWaterMark: 1 << 20 }).pipe(
  parse({ from: 2 }),
);
for await (const record of records) task.take(record as string[]);
task.finish();
report({ ms: null });
