import type { InputDescription, Job, Reject } from '../protocol/job.ts';

/** What of a job says how its rejects were read. */
export type RejectedInput = Pick<Job, 'input'>;

/**
 * The header record of the input, in its dialect, for a file of rejects that can be corrected and
 * uploaded again; nothing where the input has no header. Such files are UTF-8.
 */
export function inputHeader({ input }: RejectedInput): string {
  if (input === null || input.format !== 'csv' || !input.header) return '';
  const names = input.columns.map(({ name }) => field(name, input));
  return `${names.join(input.delimiter)}${lineEnd(input)}`;
}

/**
 * A rejected record as it stood, with its line end. Null for one that the job does not have as it
 * stood, or that is none of the input: too large to be kept whole, a group, one of joined records.
 */
export function inputRecord(
  { raw, rawEncoding, code, line, derived }: Reject,
  { input }: RejectedInput,
): Buffer | null {
  if (input === null || code === 'record-too-large' || line === null || derived) return null;
  return Buffer.concat([
    Buffer.from(raw, rawEncoding === 'utf-8' ? 'utf8' : 'latin1'),
    Buffer.from(lineEnd(input)),
  ]);
}

/** Media type and extension of such a file. */
export function inputFileType({ input }: RejectedInput): { type: string; extension: string } {
  if (input !== null && input.format !== 'csv') {
    return { type: 'application/x-ndjson; charset=utf-8', extension: 'ndjson' };
  }
  return { type: 'text/csv; charset=utf-8', extension: input?.delimiter === '\t' ? 'tsv' : 'csv' };
}

function field(name: string, { delimiter, quote, escape }: InputDescription): string {
  const isPlain = name !== '' && !name.includes(delimiter) && !/[\r\n]/.test(name);
  if (quote === '' || (isPlain && !name.includes(quote))) return name;
  const mark = escape === '' ? quote : escape;
  const escaped = name.replaceAll(mark, `${mark}${mark}`);
  return `${quote}${mark === quote ? escaped : escaped.replaceAll(quote, mark + quote)}${quote}`;
}

function lineEnd({ format, newline }: InputDescription): string {
  return format === 'csv' && newline === '\r\n' ? '\r\n' : '\n';
}
