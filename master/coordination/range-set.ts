/** Half-open integer ranges, ascending, disjoint, not touching. Plain JSON. */
export type RangeSet = readonly (readonly [start: number, end: number])[];

/** Whether the set holds `value`. O(log n). */
export function rangesHave(ranges: RangeSet, value: number): boolean {
  const at = firstEndingAfter(ranges, value);
  const range = ranges[at];
  return range !== undefined && range[0] <= value;
}

/** The set with `value` in it. O(n) in the number of ranges, which stays near the reorder depth. */
export function rangesAdd(ranges: RangeSet, value: number): RangeSet {
  if (rangesHave(ranges, value)) return ranges;
  const at = firstEndingAfter(ranges, value);
  const before = ranges[at - 1];
  const after = ranges[at];
  const joinsBefore = before !== undefined && before[1] === value;
  const joinsAfter = after !== undefined && after[0] === value + 1;
  const start = joinsBefore ? before[0] : value;
  const end = joinsAfter ? after[1] : value + 1;
  return [
    ...ranges.slice(0, joinsBefore ? at - 1 : at),
    [start, end],
    ...ranges.slice(joinsAfter ? at + 1 : at),
  ];
}

/** The set without `value`. */
export function rangesRemove(ranges: RangeSet, value: number): RangeSet {
  if (!rangesHave(ranges, value)) return ranges;
  const at = firstEndingAfter(ranges, value);
  const [start, end] = ranges[at] ?? [value, value + 1];
  const pieces: (readonly [number, number])[] = [];
  if (start < value) pieces.push([start, value]);
  if (value + 1 < end) pieces.push([value + 1, end]);
  return [...ranges.slice(0, at), ...pieces, ...ranges.slice(at + 1)];
}

/** The set without everything below `bound`. */
export function rangesFrom(ranges: RangeSet, bound: number): RangeSet {
  const at = firstEndingAfter(ranges, bound);
  const first = ranges[at];
  if (first === undefined) return [];
  return [[Math.max(first[0], bound), first[1]], ...ranges.slice(at + 1)];
}

/** The set without everything at or above `bound`. */
export function rangesBelow(ranges: RangeSet, bound: number): RangeSet {
  return ranges
    .filter(([start]) => start < bound)
    .map(([start, end]) => [start, Math.min(end, bound)] as const);
}

/** The smallest value at or above `from` that is not in the set. */
export function rangesNextMissing(ranges: RangeSet, from: number): number {
  const range = ranges[firstEndingAfter(ranges, from)];
  return range !== undefined && range[0] <= from ? range[1] : from;
}

function firstEndingAfter(ranges: RangeSet, value: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.[1] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
