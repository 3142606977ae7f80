import { expect, test } from 'vitest';
import { ChunkMemory } from '../../worker/chunk-memory.ts';

test("memory given back is lent again, and what is lent is nobody else's", () => {
  const memory = new ChunkMemory();
  const first = memory.lend();
  const second = memory.lend();
  const bytes = first.room(1_000);
  expect(bytes).toHaveLength(1_000);
  expect(second.room(1_000).buffer).not.toBe(bytes.buffer);
  first.giveBack();
  first.giveBack();
  const third = memory.lend();
  expect(third.room(2_000).buffer).toBe(bytes.buffer);
  const fourth = memory.lend();
  expect(fourth.room(2_000).buffer).not.toBe(bytes.buffer);
});

test('memory that is too small is replaced', () => {
  const memory = new ChunkMemory();
  const small = memory.lend();
  small.room(10);
  small.giveBack();
  expect(memory.lend().room(9_000_000)).toHaveLength(9_000_000);
});

test('large memory is not kept', () => {
  const memory = new ChunkMemory();
  const large = memory.lend();
  const bytes = large.room(30_000_000);
  large.giveBack();
  expect(memory.lend().room(10).buffer).not.toBe(bytes.buffer);
});
