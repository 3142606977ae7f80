import type { Column } from '../protocol/job.ts';
import { pointerTo, type IssueList } from './issues.ts';
import { Resolver } from './resolver.ts';
import type { GlobalStep, Numbered, SortKey, Step } from './step.ts';
import type { Lookup } from './lookup.ts';

/** What is to be done with all records at once, names made exact. */
export type GlobalAct = Numbered & Act;

type Act =
  | { readonly kind: 'sort'; readonly keys: readonly SortKey[] }
  | { readonly kind: 'limit'; readonly offset: number; readonly count: number | null }
  | {
      readonly kind: 'distinct';
      readonly by: readonly string[];
      readonly nullsEqual: boolean;
      readonly keep: 'first' | 'last';
      readonly onDuplicate: 'drop' | 'reject';
    }
  /** A join to a lookup in parts. */
  | {
      readonly kind: 'meet';
      readonly join: Extract<Step, { kind: 'join' }>;
      readonly lookup: Lookup;
    }
  /** The aggregate before it is the last of its wave; these are its groups' columns. */
  | { readonly kind: 'group'; readonly columns: readonly Column[] };

/** Checks a global step and takes it apart. Faults go to `issues`, under `path`. */
export function globalActs(
  step: GlobalStep,
  columns: readonly Column[],
  path: string,
  issues: IssueList,
): GlobalAct[] {
  const resolver = new Resolver(columns, issues);
  switch (step.kind) {
    case 'sort':
      return [{ kind: 'sort', keys: sortKeys(step.keys, path, resolver) }];
    case 'top_k':
      return [
        { kind: 'sort', keys: sortKeys(step.keys, `${path}/by`, resolver) },
        { kind: 'limit', offset: 0, count: step.count },
      ];
    case 'limit':
      return [{ kind: 'limit', offset: step.offset, count: step.count }];
    case 'dedupe': {
      const by = resolver.listOrAll(step.by, `${path}/by`).map(({ name }) => name);
      return [{ kind: 'distinct', by, nullsEqual: true, keep: step.keep, onDuplicate: 'drop' }];
    }
    case 'unique':
      return [uniqueAct(resolver.list(step.columns, path).map(({ name }) => name))];
  }
}

/** As UNIQUE in SQL: NULL is no duplicate of NULL. */
export function uniqueAct(by: readonly string[]): GlobalAct {
  return { kind: 'distinct', by, nullsEqual: false, keep: 'first', onDuplicate: 'reject' };
}

function sortKeys(keys: readonly SortKey[], path: string, resolver: Resolver): SortKey[] {
  return keys.flatMap((key, index) => {
    const column = resolver.one(key.column, pointerTo(path, index));
    return column === undefined ? [] : [{ ...key, column: column.name }];
  });
}

export function isAct(part: Step | GlobalAct): part is GlobalAct {
  return ['sort', 'limit', 'distinct', 'meet', 'group'].includes(part.kind);
}
