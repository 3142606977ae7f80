import { writeFileSync, openSync, writeSync, closeSync } from 'node:fs';
import { groupOf, sortOf, type Assignment } from './assignment.ts';
import { meets } from './condition.ts';

/** Takes records one after the other and writes the answer at the end: what a script would do. */
export interface RecordTask {
  take(record: readonly string[]): void;
  finish(): void;
}

const FLUSH_CHARS = 1 << 20;

/** The same loop for every parser that gives records as arrays of text. The header is not taken. */
export function recordTask(assignment: Assignment): RecordTask {
  switch (assignment.task) {
    case 'count':
      return countTask(assignment);
    case 'filter':
      return filterTask(assignment);
    case 'group':
    case 'many':
      return groupTask(assignment);
    case 'sort':
      return sortTask(assignment);
    case 'profile':
      return profileTask(assignment);
    case 'copy':
      return copyTask(assignment);
  }
}

function countTask({ output }: Assignment): RecordTask {
  let n = 0;
  return { take: () => n++, finish: () => writeFileSync(output, `n\n${n}\n`) };
}

function filterTask({ dataset, output }: Assignment): RecordTask {
  const positions = new Map(dataset.columns.map((column, index) => [column, index]));
  const kept = dataset.filter.columns.map((column) => positions.get(column) ?? -1);
  const writer = csvWriter(output, dataset.filter.columns);
  let current: readonly string[] = [];
  const cell = (column: string): string => current[positions.get(column) ?? -1] ?? '';
  return {
    take(record) {
      current = record;
      if (meets(dataset.filter.conditions, cell))
        writer.write(kept.map((index) => record[index] ?? ''));
    },
    finish: () => writer.close(),
  };
}

function groupTask({ task, dataset, output }: Assignment): RecordTask {
  const group = groupOf(dataset, task);
  const by = dataset.columns.indexOf(group.by);
  const value = dataset.columns.indexOf(group.value);
  const groups = new Map<string, { n: number; total: number }>();
  return {
    take(record) {
      const key = record[by] ?? '';
      let sums = groups.get(key);
      if (sums === undefined) groups.set(key, (sums = { n: 0, total: 0 }));
      sums.n++;
      sums.total += Number(record[value]);
    },
    finish() {
      const writer = csvWriter(output, [group.by, 'n', 'total', 'mean']);
      for (const [key, { n, total }] of groups) {
        writer.write([key, String(n), String(total), String(total / n)]);
      }
      writer.close();
    },
  };
}

function sortTask({ dataset, output }: Assignment): RecordTask {
  const { by, then } = sortOf(dataset);
  const first = dataset.columns.indexOf(by);
  const second = dataset.columns.indexOf(then);
  const records: (readonly string[])[] = [];
  return {
    take: (record) => records.push(record),
    finish() {
      const difference = (a: readonly string[], b: readonly string[], index: number): number =>
        Number(a[index]) - Number(b[index]);
      records.sort((a, b) => difference(a, b, first) || difference(a, b, second));
      const writer = csvWriter(output, dataset.columns);
      for (const record of records) writer.write(record);
      writer.close();
    },
  };
}

function profileTask({ dataset, output }: Assignment): RecordTask {
  const columns = dataset.columns.map(() => ({
    empty: 0,
    min: '',
    max: '',
    seen: new Set<string>(),
  }));
  let records = 0;
  return {
    take(record) {
      records++;
      for (const [index, column] of columns.entries()) {
        const text = record[index] ?? '';
        if (text === '') column.empty++;
        else {
          if (column.min === '' || text < column.min) column.min = text;
          if (text > column.max) column.max = text;
          column.seen.add(text);
        }
      }
    },
    finish() {
      const writer = csvWriter(output, ['column', 'records']);
      for (const column of dataset.columns) writer.write([column, String(records)]);
      writer.close();
    },
  };
}

function copyTask({ dataset, output }: Assignment): RecordTask {
  const writer = csvWriter(output, dataset.columns);
  return { take: (record) => writer.write(record), finish: () => writer.close() };
}

interface CsvWriter {
  write(cells: readonly string[]): void;
  close(): void;
}

function csvWriter(file: string, header: readonly string[]): CsvWriter {
  const target = openSync(file, 'w');
  let text = '';
  const flush = (): void => {
    writeSync(target, text);
    text = '';
  };
  const write = (cells: readonly string[]): void => {
    text += `${cells.map(quoted).join(',')}\n`;
    if (text.length > FLUSH_CHARS) flush();
  };
  write(header);
  return {
    write,
    close: () => {
      flush();
      closeSync(target);
    },
  };
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
