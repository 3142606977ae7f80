import { Document, isMap, parseDocument } from 'yaml';

/** The options of a plan's `read` section that the New job page has controls for. */
export const READ_OPTIONS = [
  'format',
  'delim',
  'quote',
  'header',
  'skip',
  'comment',
  'encoding',
  'on_error',
] as const;
export type ReadOption = (typeof READ_OPTIONS)[number];
export type ReadValue = string | number | boolean;

/** What the plan's text says now; an option left out is absent. Empty for a text that is not YAML. */
export function readOptionsOf(plan: string): Partial<Record<ReadOption, ReadValue>> {
  const document = parsePlan(plan);
  const options: Partial<Record<ReadOption, ReadValue>> = {};
  if (document === null) return options;
  for (const option of READ_OPTIONS) {
    const value: unknown = document.getIn(['read', option]);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      options[option] = value;
    }
  }
  return options;
}

/**
 * The plan's text with one option set, or taken out by null; everything else, comments included,
 * stays. Null when the text cannot be edited because it is not a YAML map.
 */
export function withReadOption(
  plan: string,
  option: ReadOption,
  value: ReadValue | null,
): string | null {
  const document = parsePlan(plan.trim() === '' ? 'version: 1\n' : plan);
  if (document === null) return null;
  if (value === null) {
    document.deleteIn(['read', option]);
    const section: unknown = document.get('read');
    if (isMap(section) && section.items.length === 0) document.delete('read');
  } else {
    const section: unknown = document.get('read');
    if (!isMap(section)) document.set('read', document.createNode({}));
    document.setIn(['read', option], value);
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** The `read` section alone, as a plan: what a preview depends on. */
export function readPlanOf(plan: string): string {
  const document = parsePlan(plan);
  const section: unknown = document?.get('read');
  if (document === null || !isMap(section)) return '';
  return new Document({ version: 1, read: section.toJSON() as unknown }).toString();
}

function parsePlan(plan: string): Document | null {
  const document = parseDocument(plan) as Document;
  if (document.errors.length > 0) return null;
  if (document.contents === null) return new Document({});
  return isMap(document.contents) ? document : null;
}
