import { describe, expect, it } from 'vitest';
import { EXCHANGE_LIMITS } from '../../pipeline/limits.ts';
import { chunkKey } from '../../pipeline/keys/index.ts';
import { decodeRejects } from '../../pipeline/result/relative-reject.ts';
import { builtKernel } from '../support/kernel.ts';
import { cutPlan, runPlan, type RunOptions } from '../support/run-plan.ts';

/** Records with ids of their own; some stand on two lines, some twice. */
const RECORDS = Array.from({ length: 60 }, (_, id) => {
  const note = id % 7 === 0 ? `"two\nlines ${String(id)}"` : `note ${String(id)}`;
  return `${String(id)},${String((id * 37) % 23)},${id % 9 === 4 ? 'word' : String(id % 5)},${note}`;
});
const HEADER = 'id,key,value,note';
const INPUT = `${HEADER}\n${RECORDS.join('\n')}\n`;
const LOOKUP = {
  name: 'l.csv',
  text: `k,label\n${Array.from({ length: 23 }, (_, k) => `${String(k)},of ${String(k)}\n`).join('')}`,
};
const TYPES = { id: 'integer', key: 'integer' } as const;
const CHECK = { check: { expr: "note NOT LIKE '%3'", name: 'no three' } };
const CAST = { derive: { twice: 'CAST(value AS INTEGER) * 2' } };

const PLANS: Readonly<Record<string, readonly object[]>> = {
  'a limit': [{ limit: { count: 50, offset: 5 } }, CHECK, CAST],
  'a dedupe': [{ dedupe: { by: ['key'] } }, CHECK, CAST],
  'unique itself': [{ unique: ['key'] }],
  'a sort': [{ sort: ['key'] }, CAST, CHECK],
  'a top_k': [{ top_k: { by: [{ by: 'key', desc: true }], k: 40 } }, CAST],
  'a join in waves': [{ join: { with: 'l.csv', on: { key: 'k' }, how: 'left' } }, CAST],
  'a limit, read by a sort': [{ limit: 55 }, { sort: [{ by: 'value' }] }, CAST],
  'columns that were dropped and renamed': [
    { select: ['value', 'note', 'key'] },
    { rename: { value: 'amount' } },
    { sort: ['key'] },
    { cast: { amount: 'integer' } },
    CHECK,
  ],
  'several of them': [
    { dedupe: { by: ['id'] } },
    { sort: ['key', { by: 'id', desc: true }] },
    { join: { with: 'l.csv', on: { key: 'k' }, select: ['label'] } },
    { limit: 58 },
    CAST,
    { unique: ['label'] },
  ],
};

interface Place {
  readonly record: number;
  readonly line: number;
  readonly raw: string;
  readonly code: string;
  readonly column: number | null;
  readonly columnName: string | null;
  readonly step: number | null;
}

/** Rejects of later waves with their places in the input, and the text that stands there. */
function placesOf(steps: readonly object[], options: RunOptions): Place[] {
  const plan = JSON.stringify({ steps });
  const given = { types: TYPES, lookups: [LOOKUP], partRecords: 5, ...options };
  const { chunks } = cutPlan(plan, INPUT, given);
  const { waves } = runPlan(plan, INPUT, given);
  const before = (chunk: number, name: 'recordsIn' | 'lines'): number =>
    waves[0]!.slice(0, chunk).reduce((sum, { statistics }) => sum + statistics[name], 0);
  const rejects = waves
    .slice(1)
    .flat()
    .flatMap((result) => decodeRejects(result.rejects));
  return rejects.map(({ origin, code, column, columnName, step }) => {
    const { chunk, record, line, byteOffset, bytes } = origin!;
    return {
      ...{ code, column, columnName, step },
      record: before(chunk, 'recordsIn') + record,
      line: before(chunk, 'lines') + line,
      raw: Buffer.from(chunks[chunk]!.subarray(byteOffset, byteOffset + bytes)).toString(),
    };
  });
}

const LIMITS = { ...EXCHANGE_LIMITS, blockBytes: 64, partitionBytes: 256, gatheredBlockBytes: 64 };
const GATHERING = { ...LIMITS, fanInMax: 2, gatheredFanInMax: 2 };

describe('a reject of a later wave has the place and the bytes of its record in the input, behind', () => {
  it.each(Object.entries(PLANS))('%s', (_title, steps) => {
    const whole = placesOf(steps, {});
    expect(whole.length).toBeGreaterThan(3);
    const lines = INPUT.slice(HEADER.length + 1).split('\n');
    for (const { record, line, raw } of whole) {
      expect(raw).toBe(RECORDS[record]);
      expect(lines[line]).toBe(raw.split('\n')[0]);
    }
    const inOrder = (places: readonly Place[]): string[] =>
      places.map((place) => JSON.stringify(place)).sort();
    for (const options of [
      { chunkRecords: 7, limits: LIMITS },
      { chunkRecords: 4, limits: GATHERING },
      { chunkRecords: 11, limits: GATHERING, kernel: builtKernel() },
    ]) {
      expect(inOrder(placesOf(steps, options))).toEqual(inOrder(whole));
    }
  });

  it('a step, whose column is told as it stands in the input', () => {
    const places = placesOf(PLANS['columns that were dropped and renamed']!, {});
    const cast = places.filter(({ code }) => code === 'type-error').map(({ raw }) => raw);
    expect(cast.sort()).toEqual(RECORDS.filter((record) => record.includes('word')).sort());
    const [unique] = placesOf([{ rename: { key: 'k' } }, { drop: ['id'] }, { unique: ['k'] }], {});
    expect(unique).toMatchObject({ code: 'unique-error', column: 2, columnName: 'key', step: 3 });
  });
});

describe('records carry no place', () => {
  it.each([
    ['where no later step rejects any', [{ sort: ['note'] }, { limit: 5 }]],
    ['where a later step only compares texts', [{ dedupe: { by: ['id'] } }, { sort: ['note'] }]],
    [
      'of groups',
      [{ aggregate: { by: ['key'], measures: { n: 'count(*)' } } }, { sort: ['n'] }, CAST_N()],
    ],
  ])('%s', (_title, steps) => {
    const { compiled } = cutPlan(JSON.stringify({ steps }), INPUT, { types: TYPES });
    expect(JSON.stringify(compiled.waves)).not.toContain('"origins"');
  });

  it('and results of the chunks say nothing of where these stand', () => {
    const plan = JSON.stringify({ steps: [{ limit: 100 }, CAST] });
    const twice = `${HEADER}\n${RECORDS[4]!}\n${RECORDS[4]!}\n`;
    const { waves } = runPlan(plan, twice, { chunkRecords: 1 });
    const keys = waves[0]!.map(({ output }) => chunkKey(Buffer.concat(output)));
    expect(new Set(keys).size).toBe(1);
    const rejects = waves[1]!.flatMap((result) => decodeRejects(result.rejects));
    expect(rejects.map(({ origin }) => origin?.chunk)).toEqual([0, 1]);
  });
});

function CAST_N(): object {
  return { derive: { m: "CAST('x' || n AS INTEGER)" } };
}
