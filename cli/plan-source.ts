import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '../pipeline/errors.ts';
import { LIMITS } from '../pipeline/limits.ts';
import type { PlanText } from './failure.ts';

export interface PlanFlags {
  readonly plan?: string;
  readonly sql?: string;
  /** NAME=PATH of files that the plan joins to. */
  readonly lookup?: readonly string[];
}

/** Where the files are that the plan names: beside it, for --sql in the current folder. */
export function planFolder({ plan }: PlanFlags): string {
  return plan === undefined ? '.' : path.dirname(plan);
}

/** The plan that the flags name; the empty text is the plain job. Throws `usage`. */
export async function readPlan(flags: PlanFlags): Promise<PlanText> {
  if (flags.plan !== undefined && flags.sql !== undefined) {
    throw new SluiceError('usage', 'give --plan or --sql, not both');
  }
  if (flags.sql !== undefined) {
    // A JSON string is a YAML scalar, so quotes and line breaks of the query need no other escape.
    const text = `version: 1\nsql: ${JSON.stringify(flags.sql)}\n`;
    return { origin: '--sql', text, sql: flags.sql };
  }
  if (flags.plan === undefined) return { origin: 'plan', text: '' };
  return { origin: flags.plan, text: await readPlanFile(flags.plan) };
}

async function readPlanFile(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new SluiceError('usage', `the plan ${file} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  if (bytes.length > LIMITS.planBytesMax) {
    throw new SluiceError('usage', `the plan ${file} is larger than ${LIMITS.planBytesMax} bytes`);
  }
  return bytes.toString('utf8');
}

function reasonOf(error: unknown): string {
  const code: unknown = (error as { code?: unknown }).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return error instanceof Error ? error.message : String(error);
}
