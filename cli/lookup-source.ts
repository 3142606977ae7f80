import { existsSync } from 'node:fs';
import path from 'node:path';
import { SluiceError } from '../pipeline/errors.ts';
import { lookupNames } from '../pipeline/plan/join.ts';
import { findByName } from '../pipeline/plan/lookup.ts';
import { parsePlan } from '../pipeline/plan/parse.ts';

/** A file that the plan joins to. */
export interface LookupSource {
  /** As the plan may name it. */
  readonly name: string;
  readonly path: string;
}

/** A table of SQL is a name without an extension: files of that name are tried in this order. */
const EXTENSIONS = ['', '.csv', '.tsv', '.csv.gz', '.csv.zst', '.ndjson', '.jsonl', '.json'];

/**
 * The files that a plan joins to: those given as NAME=PATH, else those beside the plan, in `folder`.
 * Throws `usage` for one that is not there. A plan that is wrong needs none: the master refuses it.
 */
export function lookupSources(
  planText: string,
  folder: string,
  given: readonly string[],
): LookupSource[] {
  const named = given.map(readGiven);
  return namesOf(planText).map((name) => {
    const found = findByName(named, name) ?? beside(folder, name);
    if (found !== undefined && existsSync(found.path)) return found;
    const where = found === undefined ? `there is no ${path.resolve(folder, name)}` : found.path;
    throw new SluiceError(
      'usage',
      `the plan joins to ${JSON.stringify(name)}, and ${where}${found ? ' is not there' : ''}: ` +
        `say where it is with --lookup ${name}=PATH`,
    );
  });
}

function namesOf(planText: string): string[] {
  try {
    return lookupNames(parsePlan(planText));
  } catch (thrown) {
    if (thrown instanceof SluiceError) return [];
    throw thrown;
  }
}

function readGiven(text: string): LookupSource {
  const at = text.indexOf('=');
  if (at > 0 && at < text.length - 1) return { name: text.slice(0, at), path: text.slice(at + 1) };
  throw new SluiceError('usage', `--lookup takes NAME=PATH, and not ${JSON.stringify(text)}`);
}

function beside(folder: string, name: string): LookupSource | undefined {
  const paths = EXTENSIONS.map((extension) => path.resolve(folder, `${name}${extension}`));
  const found = paths.find((candidate) => existsSync(candidate));
  return found === undefined ? undefined : { name: path.basename(found), path: found };
}
