import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../pipeline/errors.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import type { PlanIssue } from '../../pipeline/protocol/plan-check.ts';
import { runPlan } from '../support/run-plan.ts';

function issuesOf(field: string): readonly PlanIssue[] {
  try {
    parsePlan(`schema:\n  fields:\n    - ${field}\n`);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    expect(thrown.code).toBe('plan-invalid');
    return thrown.details['issues'] as PlanIssue[];
  }
  return [];
}

describe('the options of a field', () => {
  it.each([
    ['{ name: a, decimalChar: "," }', 'decimalChar', 18, 'type string has no decimalChar'],
    [
      '{ name: a, type: integer, decimalChar: "," }',
      'decimalChar',
      33,
      'type integer has no decimalChar',
    ],
    ['{ name: a, type: date, groupChar: "." }', 'groupChar', 30, 'type date has no groupChar'],
    [
      '{ name: a, type: number, trueValues: [x] }',
      'trueValues',
      32,
      'type number has no trueValues',
    ],
    [
      '{ name: a, type: string, falseValues: [x] }',
      'falseValues',
      32,
      'type string has no falseValues',
    ],
    ['{ name: a, type: number, decimalChar: "" }', 'decimalChar', 46, '"" is no decimalChar'],
    ['{ name: a, type: number, decimalChar: ",," }', 'decimalChar', 46, '",," is no decimalChar'],
    ['{ name: a, type: number, decimalChar: "5" }', 'decimalChar', 46, '"5" is no decimalChar'],
    ['{ name: a, type: number, decimalChar: " " }', 'decimalChar', 46, '" " is no decimalChar'],
    ['{ name: a, type: number, groupChar: "-" }', 'groupChar', 44, '"-" is no groupChar'],
    ['{ name: a, type: number, groupChar: e }', 'groupChar', 43, '"e" is no groupChar'],
    ['{ name: a, type: number, groupChar: "." }', 'groupChar', 44, 'are both "."'],
    [
      '{ name: a, type: number, decimalChar: ",", groupChar: "," }',
      ...(['groupChar', 62, 'are both ","'] as const),
    ],
    ['{ name: a, type: boolean, trueValues: [] }', 'trueValues', 45, 'An empty list is not'],
    ['{ name: a, type: boolean, trueValues: [1] }', 'trueValues/0', 46, '1 is not a text'],
    [
      '{ name: a, type: boolean, trueValues: [y, j], falseValues: [n, j] }',
      ...(['falseValues/1', 70, '"j" is in trueValues too'] as const),
    ],
  ])('refuses %s', (field, key, column, message) => {
    const issues = issuesOf(field);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ path: `/schema/fields/0/${key}`, line: 3 });
    expect(issues[0]?.message).toContain(message);
    expect(issues[0]?.column).toBe(column);
  });

  it.each([
    ['{ name: a, type: number, decimalChar: ",", groupChar: "\\u00a0" }'],
    ['{ name: a, type: integer, groupChar: "." }'],
    ['{ name: a, type: number, groupChar: " " }'],
    ['{ name: a, type: boolean, trueValues: ["1"], falseValues: ["0", ""] }'],
  ])('takes %s', (field) => {
    expect(issuesOf(field)).toEqual([]);
  });
});

/** Each section, and steps of every scope. */
const WHOLE = `
version: 1
read: { format: auto, delim: auto, quote: auto, escape: auto, header: auto, skip: 0, comment: "",
  nullstr: [""], encoding: auto, compression: auto, on_error: reject }
schema:
  fields:
    - { name: id, type: string, constraints: { required: true, unique: true } }
    - { name: amount, type: number, decimalChar: "," }
steps:
  - rename: { E-Mail: email }
  - trim: "*"
  - derive: { net: "round(amount / 1.19, 2)" }
  - filter: "country IN ('DE', 'FR') AND net > 0"
  - check: { expr: "net < 1e6", name: plausible, severity: reject }
  - dedupe: { by: [id], keep: first }
  - join: { with: countries.csv, on: { country: code }, how: left, select: [name] }
  - aggregate: { by: [country], measures: { n: "count(*)", total: "sum(net)" } }
  - sort: [{ by: total, desc: true }]
  - limit: 100
write: { format: csv, delim: ",", header: true, bom: false, escape_formulas: false }
limits: { max_rejects: 10000, max_reject_ratio: 0.05 }
`;

describe('a plan of all sections', () => {
  it('runs over amounts with a decimal comma', () => {
    const records = [
      ...['1,a@x,DE,"11,90"', '2,b@x,FR,"119,00"', '3,c@x,DE," 23,80 "', '4,d@x,US,"1,19"'],
      ...[
        '5,e@x,DE,1.19',
        '6,f@x,FR,"-1,19"',
        '7,g@x,DE,"1190000,00"',
        '7,g@x,DE,"1,19"',
        '8,h@x,DE,',
      ],
    ];
    const input = `id,E-Mail,country,amount\n${records.join('\n')}\n`;
    const lookups = [{ name: 'countries.csv', text: 'code,name\nDE,Germany\nFR,France\n' }];
    for (const chunkRecords of [Infinity, 2]) {
      const { output, rejects } = runPlan(WHOLE, input, { lookups, chunkRecords });
      expect(output.toString()).toBe('country,n,total\nFR,1,100.0\nDE,2,30.0\n');
      // Raw in a later wave is what came to it.
      expect(rejects.map(({ code, raw }) => [code, raw]).sort()).toEqual([
        ['constraint-error', '7,g@x,DE,1190000.00'],
        ['type-error', '5,e@x,DE,1.19'],
        ['unique-error', '7,g@x,DE,1.19'],
      ]);
    }
  });
});
