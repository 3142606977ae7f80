import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Batch, Fault } from '../../pipeline/execution/batch.ts';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { inputView } from '../../pipeline/execution/column-view.ts';
import { CsvWriter } from '../../pipeline/execution/csv-writer.ts';
import { createOperators } from '../../pipeline/execution/operator-chain.ts';
import { createOperatorKernels } from '../../pipeline/execution/operator-kernels.ts';
import { OutputBuffer } from '../../pipeline/execution/output-buffer.ts';
import { RFC_4180, type Dialect } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex, RecordFlag } from '../../pipeline/parsing/record-index.ts';
import { StructuralTokenizer } from '../../pipeline/parsing/structural/structural-tokenizer.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import { csvOf } from '../support/batch-of.ts';
import { builtKernel } from '../support/kernel.ts';
import { cells, COLUMNS, tables } from '../support/typed-cells.ts';
import { runs } from '../support/runs.ts';

const module = builtKernel();
const RECORDS_MAX = 200;

const texts = fc.constantFrom(
  ...["'a'", "'b'", "'ab'", "'US'", "''", "'NA'", "'é'", "'漢'", "'xxxxxxxxxxxxxxx0'", "'1'"],
  ...["'xxxxxxxxxxxxxxxx1'", `'${'x'.repeat(31)}2'`, "'\"'", "'true'", "','", "'0.5'"],
);
const patterns = fc
  .array(fc.constantFrom('%', '%', '%', 'a', 'b', 'x', 'xx', 'é', '0', '"', 'US', '_', '1'), {
    maxLength: 6,
  })
  .map((parts) => `'${parts.join('')}'`);
const numbers = fc.oneof(
  fc.constantFrom('0', '1', '-1', '5', '7.00', '1.5', '-0.5', '1e5', '2.5e0', '1234567890123456'),
  fc.constantFrom('9007199254740993', '9223372036854775807', '-9223372036854775808', '10.0'),
  fc.constantFrom('100000000000000000000', '0.1', '-14', '3', '123456789012345.6', "'5'"),
  fc.integer({ min: -9999, max: 9999 }).map(String),
);
const times = fc.constantFrom(
  ...["DATE '2000-02-29'", "DATE '1969-12-31'", "'2024-02-28'", "TIMESTAMP '2000-01-31 12:30:00'"],
  ...["'1970-01-01 00:00:00.000001'", "DATE '0001-01-01'", "'9999-12-31 23:59:59'"],
);
const comparison = fc.constantFrom('=', '<>', '<', '<=', '>', '>=');
const texted = fc.constantFrom('c0', 'c0', 'c1');
const parts = (...list: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> =>
  fc
    .tuple(...list.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((all) => all.join(' '));
const list = (item: fc.Arbitrary<string>) =>
  fc.array(item, { minLength: 1, maxLength: 9 }).map((items) => `(${items.join(', ')})`);
const leaf = fc.oneof(
  parts(fc.constantFrom('c2', 'c3'), comparison, numbers),
  parts(numbers, comparison, fc.constantFrom('c2', 'c3')),
  parts(fc.constantFrom('c2', 'c3'), comparison, fc.constantFrom('c2', 'c3')),
  parts(fc.constantFrom('c2', 'c3'), 'IN', list(numbers)),
  parts(fc.constantFrom('c4', 'c5'), comparison, times),
  parts('c4', comparison, 'c5'),
  parts(texted, comparison, texts),
  parts(texts, comparison, texted),
  parts(texted, fc.constantFrom('IN', 'NOT IN'), list(fc.oneof(texts, texts, fc.constant('NULL')))),
  parts(texted, fc.constantFrom('LIKE', 'LIKE', 'NOT LIKE', 'ILIKE'), patterns),
  parts(fc.constantFrom('c0', 'c1', 'c2', 'c5'), fc.constantFrom('IS NULL', 'IS NOT NULL')),
  parts('c3', 'BETWEEN', numbers, 'AND', numbers),
  parts('c1', comparison, fc.constantFrom('1', '2.5')),
  fc.constantFrom('c6', 'NOT c6', 'TRUE', 'FALSE', 'NULL', 'length(c0) > 3', 'c0 = c1', '1 < 2'),
);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc
      .tuple(
        fc.constantFrom('AND', 'OR'),
        fc.array(tie('condition'), { minLength: 2, maxLength: 4 }),
      )
      .map(([word, all]) => `(${all.join(` ${word} `)})`),
    tie('condition').map((one) => `(NOT ${one})`),
    fc
      .tuple(tie('condition'), fc.constantFrom('IS NULL', 'IS TRUE', 'IS NOT FALSE', 'IS FALSE'))
      .map(([one, test]) => `((${one}) ${test})`),
  ),
}));

const steps = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('filter', 'filter', 'check'), condition), { maxLength: 2 }),
    fc.option(
      fc.shuffledSubarray(
        COLUMNS.map(({ name }) => name),
        { minLength: 1 },
      ),
    ),
    fc.boolean(),
  )
  .map(([conditions, selected, isRenamed]) => [
    ...conditions.map(([kind, text]) => ({ [kind]: text })),
    ...(selected === null ? [] : [{ select: selected }]),
    ...(isRenamed ? [{ rename: { [selected?.[0] ?? 'c0']: 'first' } }] : []),
    // Never the plain job, which profiles.
    { sample: { fraction: 1 } },
  ]);
const reads = fc.record({
  nullstr: fc.constantFrom([''], ['', 'NA'], ['NA'], ['0', 'x'.repeat(16)], []),
  on_error: fc.constantFrom('reject', 'null'),
});

/** The plan's context; null when the plan is refused. */
function contextOf(
  plan: object,
  dialect: Dialect = RFC_4180,
  columns = COLUMNS,
): ChunkContext | null {
  try {
    const input = { format: 'csv', dialect, columns } as const;
    return compilePlan(parsePlan(JSON.stringify(plan)), input).waves[0].context;
  } catch {
    return null;
  }
}

/** All that comes of a text, batch after batch of the given size. */
function run(text: string, context: ChunkContext, regionBytes: number, withKernel: boolean) {
  const tokenizer = new StructuralTokenizer(
    ...([context.dialect, { skipBlankLines: 'always' }, module, RECORDS_MAX, regionBytes] as const),
  );
  const kernels = createOperatorKernels(context, withKernel ? tokenizer.kernel : null);
  const { operators, view } = createOperators(context, inputView(context), {
    ...kernels,
    tables: new Map(),
  });
  const writer = new CsvWriter(view, context, kernels.writer);
  const out = new OutputBuffer();
  const faults: Fault[] = [];
  let filtered = 0;
  const sink = {
    reject: (fault: Fault) => void faults.push(fault),
    filtered: (count: number) => void (filtered += count),
    warned: () => undefined,
    aggregated: () => undefined,
  };
  const whole = new TextEncoder().encode(text);
  // The first part is another text.
  for (const bytes of [whole.slice(0, whole.indexOf(10) + 1), whole]) {
    tokenizer.load(bytes);
    writer.begin(bytes);
    for (let at = 0; at < bytes.length;) {
      const index = createRecordIndex();
      at = tokenizer.tokenize(bytes, at, index);
      const batch: Batch = {
        bytes,
        dialect: context.dialect,
        index,
        ...select(),
      };
      for (const { operator } of operators) {
        const sorted = faults.length;
        if ('apply' in operator && batch.selectedCount > 0) operator.apply(batch, sink);
        faults.push(...faults.splice(sorted).sort((a, b) => a.record - b.record));
      }
      writer.write(batch, out);

      function select() {
        const { recordCount, recordFields, recordFlags } = index;
        const unreadable = RecordFlag.unterminated | RecordFlag.invalidUtf8;
        const selection = new Uint32Array(RECORDS_MAX + 1);
        let selectedCount = 0;
        for (let record = 0; record < recordCount; record++) {
          const isWhole =
            recordFields[record + 1]! - recordFields[record]! === context.columns.length;
          if (isWhole && (recordFlags[record]! & unreadable) === 0)
            selection[selectedCount++] = record;
        }
        return { selection, selectedCount };
      }
    }
  }
  return { output: Buffer.concat(out.finish()).toString(), faults, filtered };
}

function expectSame(text: string, context: ChunkContext, regionBytes: number): void {
  const byKernel = run(text, context, regionBytes, true);
  expect(byKernel).toEqual(run(text, context, regionBytes, false));
}

describe('filters, checks and output in the kernel', () => {
  test('give what the reference gives, for any plan, data and batch', () => {
    let taken = 0;
    let compiled = 0;
    fc.assert(
      fc.property(
        ...([tables, steps, reads, fc.boolean()] as const),
        fc.constantFrom(64, 300, 1000, 131_072),
        (text, list, read, isStated, regionBytes) => {
          const fields = isStated ? COLUMNS.slice(2, 4) : [];
          const context = contextOf({ steps: list, read, schema: { fields } });
          if (context === null) return;
          taken += 1;
          const { conditions } = createOperatorKernels(
            context,
            new StructuralTokenizer(RFC_4180, { skipBlankLines: 'always' }, module, RECORDS_MAX)
              .kernel,
          );
          if (conditions.some((one) => one !== null)) compiled += 1;
          expectSame(text, context, regionBytes);
        },
      ),
      { numRuns: runs(200) },
    );
    expect(taken).toBeGreaterThan(90);
    expect(compiled).toBeGreaterThan(60);
  });

  /** Cells of few values, so that what a condition tells apart does occur. */
  const few = (...values: string[]) => fc.constantFrom(...values);
  const shortTexts = fc
    .array(few('a', 'a', 'b', 'é', '"', ',', 'xxxxxxxx'), { maxLength: 5 })
    .map((all) => all.join(''));
  const fewRecords = fc.tuple(
    ...[shortTexts, few('0', '1', '1.0', '1.5', '2', '007'), few('0', '1', '2', '-1', '2.0')],
    few('0.5', '1', '1.5', '-0', '2', '1e0', ''),
    few('2024-02-28', '2024-02-29', '1969-12-31', '2024-1-2'),
    few('2024-02-28 00:00:00', '2024-02-28T23:59:59.5', '2024-02-29 00:00:00+01', '1969-12-31'),
    few('true', 'f', 'Y', '0', 'NO', ''),
  );
  const fewTests = fc.oneof(
    fc
      .array(few('%', '%', 'a', 'b', 'é', '"', 'xxxxxxxx'), { maxLength: 5 })
      .map((all) => `c0 LIKE '${all.join('')}'`),
    shortTexts.map((text) => `c0 < '${text}'`),
    fc
      .array(shortTexts, { minLength: 1, maxLength: 20 })
      .map((all) => `c0 IN ('${all.join("','")}')`),
    parts(few('c1', 'c2', 'c3'), comparison, few('0.5', '1', '1.5', '2', '-0.5', '1.5e0')),
    parts(few('c2', 'c3'), comparison, few('c2', 'c3')),
    parts(few('c4', 'c5'), comparison, few("DATE '2024-02-28'", "'2024-02-29'", 'c4', 'c5')),
    few('c6', 'NOT c6', 'c6 IS NULL', 'c6 = TRUE'),
  );

  test.each(['', ' OR c3 IS NULL', ' AND c2 >= 0', ' AND NOT c6'])(
    'decide on single comparisons as the reference does, here: ...%s',
    (rest) => {
      fc.assert(
        fc.property(
          fc.array(fewRecords, { minLength: 1, maxLength: 40 }),
          fewTests,
          (list, test) => {
            const context = contextOf({ steps: [{ filter: `(${test})${rest}` }] });
            if (context !== null) expectSame(csvOf(list), context, 200);
          },
        ),
        { numRuns: runs(200) },
      );
    },
  );

  test('read quoted numbers where the quote is a digit', () => {
    const dialect: Dialect = { ...RFC_4180, quote: '5', escape: '5' };
    const context = contextOf({ steps: [{ filter: 'c2 > 3 AND c3 > 0' }] }, dialect)!;
    const text = 'a,b,515,1.5,,,\na,b,4,575,,,\na,b,545,1,,,\n';
    expectSame(text, context, 1000);
    expect(run(text, context, 1000, true).output).toBe('a,b,4,7,,,\na,b,4,1,,,\n');
  });

  test('read and write other dialects as the reference does', () => {
    const bare: Dialect = { ...RFC_4180, delimiter: ';', quote: '', escape: '' };
    const tabs: Dialect = { ...RFC_4180, delimiter: '\t' };
    fc.assert(
      fc.property(
        ...([fc.array(cells, { maxLength: 30 }), steps, reads] as const),
        fc.constantFrom(bare, tabs),
        fc.constantFrom('\t', ';', ','),
        (records, list, read, dialect, delim) => {
          const context = contextOf({ steps: list, read, write: { delim } }, dialect);
          if (context === null) return;
          const clean = records.map((record) => record.map((v) => v.replaceAll(/[";\t\r\n]/g, '')));
          const text = clean.map((record) => `${record.join(dialect.delimiter)}\n`).join('');
          expectSame(text, context, 1000);
        },
      ),
      { numRuns: runs(200) },
    );
  });

  test('write one column as the reference does, empty cells quoted', () => {
    const columns = [{ name: 'v', type: 'string' }] as const;
    const lines = fc.array(fc.constantFrom('', '', 'a', '""', '"b,c"', '"d""e"', 'f'.repeat(40)));
    fc.assert(
      fc.property(lines, fc.constantFrom(null, "v <> 'a'", 'v IS NULL'), (list, filter) => {
        const step = filter === null ? { sample: { fraction: 1 } } : { filter };
        const context = contextOf({ steps: [step] }, RFC_4180, columns)!;
        const text = Buffer.from(
          list
            .map((line) => `${line}\n`)
            .join('')
            .repeat(40),
        );
        const [byKernel, reference] = [module, null].map((one) =>
          createChunkProgram(context, one).run(text),
        );
        expect(Buffer.concat(byKernel!.output)).toEqual(Buffer.concat(reference!.output));
        expect(byKernel!.statistics).toEqual(reference!.statistics);
      }),
      { numRuns: runs(100) },
    );
  });
});

describe('output of the kernel', () => {
  const columns = ['a', 'b', 'c'].map((name) => ({ name, type: 'string' }) as const);
  const outcome = (text: string, plan: object) => {
    const context = contextOf(plan, RFC_4180, columns)!;
    const [byKernel, reference] = [module, null].map((one) => {
      const { output, statistics } = createChunkProgram(context, one).run(Buffer.from(text));
      return { output: Buffer.concat(output).toString(), statistics };
    });
    return { byKernel: byKernel!, reference: reference! };
  };
  const sizes = [0, 15, 16, 17, 255, 256, 257, 16_000, 16_383, 16_384, 100_000, 262_143, 300_000];

  test.each([
    ['whole records', [{ sample: { fraction: 1 } }]],
    ['whole records of a selection', [{ filter: "a <> 'skipped'" }]],
    ['columns in another order', [{ select: ['c', 'a'] }]],
    ['one column', [{ select: ['b'] }]],
  ])('holds records of any length: %s', (_, list) => {
    const text = [...sizes, ...sizes.toReversed(), ...sizes]
      .map((size, i) => {
        const line = `${i % 5 === 0 ? 'skipped' : i},${'x'.repeat(size)},"${'y'.repeat(size % 300)}"`;
        return i % 4 === 3 ? `${line}\r\n` : `${line}\n`;
      })
      .join('');
    const { byKernel, reference } = outcome(text, { steps: list });
    expect(byKernel.output === reference.output).toBe(true);
    expect(byKernel.statistics).toEqual(reference.statistics);
    const unended = outcome(text.slice(0, -1), { steps: list });
    expect(unended.byKernel.output === reference.output).toBe(true);
  });

  test('holds chunks for which the memory has to grow, one after another', () => {
    const plan = { steps: [{ filter: "a LIKE '%7%'" }, { select: ['b', 'a'] }] };
    const context = contextOf(plan, RFC_4180, columns)!;
    const chunks = [3, 60_000, 10, 200_000, 1].map((records) =>
      Buffer.from(Array.from({ length: records }, (_, i) => `${i},x${i},"y"\n`).join('')),
    );
    chunks.splice(2, 0, Buffer.from(`5,${'x'.repeat(70 * 1024 * 1024)},y\n`));
    const [byKernel, reference] = [module, null].map((one) => {
      const program = createChunkProgram(context, one);
      return chunks.map((chunk) => Buffer.concat(program.run(chunk).output).toString());
    });
    expect(byKernel).toEqual(reference);
    expect(byKernel![0]).toBe('');
    expect(byKernel![1]).toContain('x17,17\n');
  });

  test('repairs quotes as the reference does, record by record', () => {
    const text = 'a,b,c\n1,x"y,"z"\n2,"p"q,r\n3,"ok, fine",t\n'.repeat(4000);
    for (const list of [[{ sample: { fraction: 1 } }], [{ select: ['b', 'c'] }]]) {
      const { byKernel, reference } = outcome(text, { steps: list });
      expect(byKernel.output === reference.output).toBe(true);
    }
  });

  test('of counts is what the reference counts, with records among them that are none', () => {
    const record = fc.constantFrom('1,2,3\n', '1,2,3\n', '"a\nb","",é\r\n', '1,2\n', '1,"2,3\n');
    const context = contextOf(
      { steps: [{ aggregate: { by: [], measures: { n: 'count(*)' } } }] },
      RFC_4180,
      columns,
    )!;
    const programs = [module, null].map((one) => createChunkProgram(context, one));
    const regular = '7,8,9\n'.repeat(30_000);
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), fc.boolean(), (records, isLong) => {
        const text = `${isLong ? regular : ''}${records.join('')}${isLong ? regular : ''}`;
        const [byKernel, reference] = programs.map((one) => one.run(Buffer.from(text)));
        expect(byKernel).toEqual(reference);
      }),
      { numRuns: runs(25) },
    );
  });
});
