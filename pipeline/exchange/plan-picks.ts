import { quantilePlaces } from '../aggregation/quantile.ts';
import type { AggregateShape } from '../aggregation/shape.ts';
import { sliceOfList } from './distinct-index.ts';
import type { GroupIndex } from './portions.ts';
import { base64, type WaveDocument } from './wave-document.ts';

/** An output of groups and portions. */
export interface GroupRun {
  readonly taskKey: string;
  readonly index: GroupIndex;
}

/**
 * A task for each quantile whose values stand in portions: it reads those that hold the places asked
 * for. `runs` are in the order of their values.
 */
export function* planPicks(
  runs: readonly GroupRun[],
  { measures }: AggregateShape,
): Generator<WaveDocument> {
  for (const { key, measure, portions } of quantilesOf(runs)) {
    const count = portions.reduce((sum, portion) => sum + portion.count, 0);
    const { function: fn, parameter } = measures[measure]!;
    const about = { function: fn, parameter: Number(parameter) };
    const [low, high] = quantilePlaces(about, count);
    let before = 0;
    const read = portions.flatMap((portion) => {
      const first = before;
      before += portion.count;
      return first <= high && low < before ? [{ ...portion, first }] : [];
    });
    yield {
      ...{ kind: 'pick', key: base64(key), measure, count, first: read[0]?.first ?? 0 },
      slices: read.map(({ taskKey, place }) => sliceOfList(taskKey, place)),
      filtered: 0,
    };
  }
}

type PlacedPortion = GroupIndex['portions'][number] & { readonly taskKey: string };

interface Quantile {
  readonly key: Uint8Array;
  readonly measure: number;
  readonly portions: PlacedPortion[];
}

/** The portions of each measure of each group: they stand side by side. */
function quantilesOf(runs: readonly GroupRun[]): Quantile[] {
  const quantiles = new Map<string, Quantile>();
  for (const { taskKey, index } of runs) {
    for (const portion of index.portions) {
      const { key, measure } = portion;
      const name = `${String(measure)} ${base64(key)}`;
      const known = quantiles.get(name);
      const placed = { ...portion, taskKey };
      if (known === undefined) quantiles.set(name, { key, measure, portions: [placed] });
      else known.portions.push(placed);
    }
  }
  return [...quantiles.values()];
}
