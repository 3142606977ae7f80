import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import type { Task } from './assignment.ts';

/** Digits that sums and means must share: peers add doubles in their own order. */
const SIGNIFICANT_DIGITS = 9;

export interface Answer {
  readonly records: number;
  readonly sha256: string;
}

/**
 * What a subject answered, whatever its quoting: the hash of the cells of all records. Groups are
 * sorted, and their numbers rounded to 9 digits; records keep their order and their text.
 */
export async function readAnswer(file: string, task: Task): Promise<Answer> {
  const hash = createHash('sha256');
  const grouped: string[] = [];
  const isGrouped = task === 'group' || task === 'many';
  let records = -1;
  for await (const record of createReadStream(file).pipe(parse())) {
    const cells = record as string[];
    records++;
    if (isGrouped) grouped.push(JSON.stringify(cells.map(rounded)));
    else hash.update(`${JSON.stringify(cells)}\n`);
  }
  if (isGrouped) hash.update(grouped.sort().join('\n'));
  return { records, sha256: hash.digest('hex') };
}

function rounded(cell: string): string {
  return cell === '' || Number.isNaN(Number(cell))
    ? cell
    : String(Number(Number(cell).toPrecision(SIGNIFICANT_DIGITS)));
}
