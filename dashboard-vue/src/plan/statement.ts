import { Document, isMap, parseDocument } from 'yaml';

/** The SQL statement of a plan's text; null where it has none. */
export function statementOf(plan: string): string | null {
  const value: unknown = mapOf(plan)?.get('sql');
  return typeof value === 'string' ? value : null;
}

/**
 * The plan's text with this statement in place of its steps, or with neither where it is blank; all
 * else stays. Null when the text cannot be edited because it is not a YAML map.
 */
export function withStatement(plan: string, statement: string): string | null {
  const document = mapOf(plan.trim() === '' ? 'version: 1\n' : plan);
  if (document === null) return null;
  if (statement === '') {
    document.delete('sql');
  } else {
    document.delete('steps');
    document.set('sql', statement);
  }
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: true });
  return text.trim() === 'version: 1' ? '' : text;
}

/** Line and column, from 1, of an offset in UTF-16 units. */
export function placeOf(
  text: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

function mapOf(plan: string): Document | null {
  const document = parseDocument(plan) as Document;
  if (document.errors.length > 0) return null;
  if (document.contents === null) return new Document({});
  return isMap(document.contents) ? document : null;
}
