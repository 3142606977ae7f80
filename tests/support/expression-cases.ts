import { readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.resolve(import.meta.dirname, '../differential');

/** Lines of a file of queries below each `# heading`; blank lines do not count. */
export function readCases(file: string): Record<string, string[]> {
  const cases: Record<string, string[]> = {};
  let current: string[] = [];
  for (const line of readFileSync(path.join(folder, file), 'utf8').split('\n')) {
    if (line.startsWith('# ')) current = cases[line.slice(2)] = [];
    else if (line.trim() !== '') current.push(line);
  }
  return cases;
}
