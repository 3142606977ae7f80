import type { Notation } from '../values/notation.ts';
import { pointerTo, type IssueList } from './issues.ts';
import type { DeclaredField, DeclaredType, FieldFile } from './schema.ts';
import { isRecord } from './validate.ts';

/** Options of a field that say how its texts write values, and the types that have them. */
const OPTION_TYPES = {
  decimalChar: ['number'],
  groupChar: ['number', 'integer'],
  trueValues: ['boolean'],
  falseValues: ['boolean'],
} as const satisfies Readonly<Record<string, readonly DeclaredType[]>>;

const DECIMAL_CHAR = '.';
/** What a number is written with anyway, or what ends a line. */
const TAKEN = /[0-9+\-eE\r\n]/;

/** What is wrong with a field's options, as it stands in the plan at `path`. */
export function checkFieldOptions(field: unknown, path: string, issues: IssueList): void {
  if (!isRecord(field)) return;
  const { type = 'string' } = field;
  for (const [option, types] of Object.entries(OPTION_TYPES)) {
    if (field[option] === undefined || types.some((other) => other === type)) continue;
    const what = `A field of the type ${String(type)} has no ${option}`;
    issues.addKey(pointerTo(path, option), what, `type: ${types.join(' or ')}`);
  }
  const { decimalChar, groupChar, trueValues, falseValues } = field;
  checkChar('decimalChar', decimalChar, path, issues);
  checkChar('groupChar', groupChar, path, issues);
  if (groupChar !== undefined && type === 'number' && groupChar === (decimalChar ?? DECIMAL_CHAR)) {
    const what = `groupChar and decimalChar are both ${JSON.stringify(groupChar)}`;
    issues.add(pointerTo(path, 'groupChar'), what, 'two characters');
  }
  if (!Array.isArray(trueValues) || !Array.isArray(falseValues)) return;
  falseValues.forEach((text: unknown, position) => {
    if (!trueValues.includes(text)) return;
    const what = `${JSON.stringify(text)} is in trueValues too`;
    issues.add(pointerTo(pointerTo(path, 'falseValues'), position), what, 'each text once');
  });
}

function checkChar(option: string, value: unknown, path: string, issues: IssueList): void {
  if (typeof value !== 'string') return;
  const isBlankMark = option === 'decimalChar' && value.trim() === '';
  if ([...value].length === 1 && !TAKEN.test(value) && !isBlankMark) return;
  const what = `${JSON.stringify(value)} is no ${option}`;
  issues.add(pointerTo(path, option), what, 'one character that is no digit, sign or "e"');
}

/** A field's notation; none where its values are written plainly. Its options are valid. */
export function notationOf(field: FieldFile, type: DeclaredType): Pick<DeclaredField, 'notation'> {
  const { groupChar = null, trueValues = null, falseValues = null } = field;
  const { decimalChar = groupChar === DECIMAL_CHAR ? null : DECIMAL_CHAR } = field;
  let notation: Notation;
  switch (type) {
    case 'number':
    case 'integer':
      if (decimalChar === DECIMAL_CHAR && groupChar === null) return {};
      notation = { type, decimalChar, groupChar };
      break;
    case 'boolean':
      if (trueValues === null && falseValues === null) return {};
      notation = { type, trueValues, falseValues };
      break;
    default:
      return {};
  }
  return { notation };
}
