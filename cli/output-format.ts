import { isMap, parseDocument } from 'yaml';

/** What the extension of an output file says of its format, as the plan's `write` section. */
const WRITE_OF_EXTENSION: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  parquet: { format: 'parquet' },
  ndjson: { format: 'ndjson' },
  jsonl: { format: 'ndjson' },
  json: { format: 'json' },
  tsv: { format: 'csv', delim: '\t' },
};

/**
 * The plan with the output's format by the extension of `output`, where the plan does not state a
 * format. What is added comes last, so that all else keeps its place in the text.
 */
export function withOutputFormat(planText: string, output: string | undefined): string {
  const extension = /\.([a-z]+)$/i.exec(output ?? '')?.[1]?.toLowerCase() ?? '';
  const write = Object.hasOwn(WRITE_OF_EXTENSION, extension) ? WRITE_OF_EXTENSION[extension] : null;
  if (write == null) return planText;
  const document = parseDocument(planText);
  // A plan that is wrong is refused as it stands, by the master.
  if (document.errors.length > 0) return planText;
  const { contents } = document;
  if (contents === null) return `write: ${JSON.stringify(write)}\n`;
  if (!isMap(contents) || document.hasIn(['write', 'format'])) return planText;
  if (!document.has('write') && contents.flow !== true) {
    return `${planText.replace(/\n*$/, '')}\nwrite: ${JSON.stringify(write)}\n`;
  }
  for (const [key, value] of Object.entries(write)) {
    if (!document.hasIn(['write', key])) document.setIn(['write', key], value);
  }
  return document.toString();
}
