import type { RecordLayout } from '../exchange/exchange.ts';
import type { ColumnView } from './column-view.ts';
import { TextVector } from './vectors.ts';

/** The cells of a view's records: which sources they are read from, and how they are laid out. */
export interface ViewCells {
  readonly layout: RecordLayout;
  /** Sources of the fields, ascending, so that neighbours stay neighbours. */
  readonly fieldSources: readonly number[];
  readonly computedSources: readonly number[];
}

/** What of a view's sources its columns show, each once. */
export function cellsOf(view: ColumnView): ViewCells {
  const shown = [...new Set(view.sources)].sort((left, right) => left - right);
  const fieldSources = shown.filter((source) => view.vectors[source] === null);
  const computedSources = shown.filter((source) => view.vectors[source] !== null);
  const cells = [...fieldSources, ...computedSources];
  const columnOf = (source: number) => view.columns[view.sources.indexOf(source)]!;
  const layout: RecordLayout = {
    fields: fieldSources.map(columnOf),
    computed: computedSources.map((source) => ({
      ...columnOf(source),
      held: view.vectors[source] instanceof TextVector ? 'text' : 'value',
    })),
    columns: view.columns.map((column, position) => ({
      ...column,
      cell: cells.indexOf(view.sources[position]!),
    })),
  };
  return { layout, fieldSources, computedSources };
}
