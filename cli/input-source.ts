import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { SluiceError } from '../pipeline/errors.ts';
import type { InputDescription } from '../pipeline/protocol/index.ts';

/** Read in pieces this large: fewer, larger buffers for the chunker. */
const READ_BYTES = 1024 * 1024;

export interface InputSource {
  /** Name of the job: the file's name, or 'stdin'. */
  readonly name: string;
  /** Null for standard input. */
  readonly bytesTotal: number | null;
  readonly formatHint: InputDescription['format'] | null;
  /** Of a regular file; else null. */
  readonly path: string | null;
  open(): Readable;
}

/** The named file, or standard input for '-'. Throws `usage` when there is nothing to read. */
export async function openInput(file: string): Promise<InputSource> {
  if (file === '-') {
    return {
      ...{ name: 'stdin', bytesTotal: null, formatHint: null, path: null },
      open: () => process.stdin,
    };
  }
  const found = await stat(file).catch((error: unknown) => {
    throw new SluiceError('usage', `${file} cannot be read: there is no such file`, {
      cause: error,
    });
  });
  if (found.isDirectory()) throw new SluiceError('usage', `${file} is a folder, not a file`);
  return {
    name: path.basename(file),
    bytesTotal: found.isFile() ? found.size : null,
    formatHint: formatOf(file),
    path: found.isFile() ? path.resolve(file) : null,
    open: () => createReadStream(file, { highWaterMark: READ_BYTES }),
  };
}

const COMPRESSED = /\.(gz|zst|br|zip|deflate)$/i;

function formatOf(file: string): InputSource['formatHint'] {
  const name = file.toLowerCase().replace(COMPRESSED, '');
  if (/\.(ndjson|jsonl)$/.test(name)) return 'ndjson';
  if (name.endsWith('.json')) return 'json';
  if (/\.(csv|tsv|tab|psv)$/.test(name)) return 'csv';
  return null;
}
