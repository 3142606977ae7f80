import type { Column } from '../protocol/job.ts';
import { findColumn } from './columns.ts';
import { pointerTo, type IssueList } from './issues.ts';
import type { ColumnFinder } from './rewrite.ts';

/** Looks names up; a name that is not there is reported and left out. */
export class Resolver implements ColumnFinder {
  private readonly columns: readonly Column[];
  private readonly issues: IssueList;

  constructor(columns: readonly Column[], issues: IssueList) {
    this.columns = columns;
    this.issues = issues;
  }

  one(name: string, path: string): Column | undefined {
    const found = findColumn(this.columns, name);
    if ('position' in found) return this.columns[found.position];
    this.issues.add(path, found.message, found.expected);
    return undefined;
  }

  listOrAll(wanted: readonly string[], path: string): readonly Column[] {
    return wanted.length === 0 ? this.columns : this.list(wanted, path);
  }

  list(wanted: readonly string[], path: string): Column[] {
    const found: Column[] = [];
    wanted.forEach((name, index) => {
      const place = pointerTo(path, index);
      const column = this.one(name, place);
      if (column === undefined) return;
      if (found.includes(column)) {
        this.issues.add(
          place,
          `The column ${JSON.stringify(name)} is named twice`,
          'each name once',
        );
      } else {
        found.push(column);
      }
    });
    return found;
  }
}
