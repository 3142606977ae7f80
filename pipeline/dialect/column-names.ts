/**
 * Names of the columns as DuckDB gives them: written names are kept as they are, blanks included;
 * an empty one becomes `column<position>`, a repeated one gets `_1`, `_2`, ... All end up different.
 */
export function uniqueColumnNames(written: readonly string[]): string[] {
  const reserved = new Set(written);
  const taken = new Set<string>();
  const repeats = new Map<string, number>();
  return written.map((text, position) => {
    const name = text === '' ? `column${position}` : text;
    if (!taken.has(name) && (text !== '' || !reserved.has(name))) {
      taken.add(name);
      return name;
    }
    let repeat = repeats.get(name) ?? 0;
    let candidate: string;
    do candidate = `${name}_${++repeat}`;
    while (taken.has(candidate) || reserved.has(candidate));
    repeats.set(name, repeat);
    taken.add(candidate);
    return candidate;
  });
}

/** column0, column1, ... for a table without a header. */
export function numberedColumnNames(count: number): string[] {
  return Array.from({ length: count }, (_, position) => `column${position}`);
}
