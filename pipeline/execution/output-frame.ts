import type { Column } from '../protocol/job.ts';
import type { OutputEncoding } from './context.ts';
import { needsQuotes } from './csv-writer.ts';
import { isFormula } from './formulas.ts';

/** What stands around the chunks' outputs: the result is header, outputs in order, footer. */
export interface OutputFrame {
  readonly header: Uint8Array;
  readonly footer: Uint8Array;
  /** Bytes left away at the start of the first output that is not empty. */
  readonly skipFirstBytes: number;
}

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
const BOM = '\ufeff';

export function outputFrame(columns: readonly Column[], write: OutputEncoding): OutputFrame {
  switch (write.format) {
    case 'csv': {
      const names = columns.map((column) => headerField(column.name, write, columns.length === 1));
      const line =
        write.header && columns.length > 0 ? `${names.join(write.delim)}${write.newline}` : '';
      const header = encoder.encode(`${write.bom ? BOM : ''}${line}`);
      return { header, footer: NOTHING, skipFirstBytes: 0 };
    }
    case 'ndjson':
      return { header: NOTHING, footer: NOTHING, skipFirstBytes: 0 };
    case 'json':
      return { header: encoder.encode('['), footer: encoder.encode('\n]\n'), skipFirstBytes: 1 };
  }
}

function headerField(name: string, write: OutputEncoding, isLone: boolean): string {
  const bytes = encoder.encode(name);
  const escaped = write.escapeFormulas && isFormula(bytes, 0, bytes.length) ? `'${name}` : name;
  const mustQuote = needsQuotes(
    bytes,
    0,
    bytes.length,
    encoder.encode(write.delim),
    write.quote.charCodeAt(0),
  );
  const isBlank = name === '' && isLone;
  const { quote } = write;
  if (!mustQuote && !isBlank && write.quoting === 'minimal') return escaped;
  return `${quote}${escaped.replaceAll(quote, quote + quote)}${quote}`;
}
