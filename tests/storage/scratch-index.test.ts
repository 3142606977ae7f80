import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScratchIndex } from '../../pipeline/storage/scratch-index.ts';

let dir: string;
let file: string;
const open: ScratchIndex[] = [];
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-index-'));
  file = path.join(dir, 'index');
});
afterEach(() => {
  for (const index of open.splice(0)) index.close();
  rmSync(dir, { recursive: true, force: true });
});

function opened(): ScratchIndex {
  const index = new ScratchIndex(file);
  open.push(index);
  return index;
}

describe('ScratchIndex', () => {
  it('tells every process the same, whoever wrote it and when they came', () => {
    const [one, two] = [opened(), opened()];
    one.add('a/1', 'first');
    two.add('a/1', 'second');
    expect([one.entry('a/1'), two.entry('a/1'), opened().entry('a/1')]).toEqual(
      Array(3).fill('first'),
    );
    two.remove('a/1');
    expect([one.entry('a/1'), one.version('a/1'), two.entry('a/1')]).toEqual([null, null, null]);
    one.add('a/1', 'third, ünicode');
    const version = two.version('a/1');
    one.renew('a/1');
    expect(two.version('a/1')).not.toBe(version);
    expect(two.entry('a/1')).toBe('third, ünicode');
    two.renew('none');
    two.remove('none');
    expect(one.names()).toEqual(['a/1']);
  });

  it('passes over what a full disk has left of a line, wherever it was cut', () => {
    const whole = '\n+\tb/2\t[["/path/[x]",0,1],["/path",1,2]]\t\n';
    for (let length = 1; length < whole.length - 2; length++) {
      rmSync(file, { force: true });
      const writer = opened();
      writer.add('a/1', 'before');
      appendFileSync(file, whole.slice(0, length));
      writer.add('c/3', 'behind');
      expect(opened().names(), whole.slice(0, length)).toEqual(['a/1', 'c/3']);
      expect(opened().entry('c/3')).toBe('behind');
    }
  });

  it('reads lines of any length, and many', () => {
    const [writer, reader] = [opened(), opened()];
    for (const length of [1, 65_520, 65_536, 300_000]) {
      writer.add(`long/${length}`, 'x'.repeat(length));
      expect(reader.entry(`long/${length}`)).toBe('x'.repeat(length));
    }
    for (let i = 0; i < 3_000; i++) writer.add(`many/${i}`, `entry ${i}`);
    expect(reader.entry('many/2999')).toBe('entry 2999');
    expect(reader.names()).toHaveLength(3_004);
  });
});
