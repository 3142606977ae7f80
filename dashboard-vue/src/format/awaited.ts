import type { Awaited, Job } from '../../../pipeline/protocol/index.ts';

const SENTENCES: Readonly<Record<Awaited, string>> = {
  upload: 'The workers are done with all that has come, and wait for the upload.',
  workers: 'The upload waits for the workers: a good part of it is stored and not processed yet.',
  'no-worker': 'Waits for a worker: none is connected now.',
  broker: 'Waits for the broker, which cannot be reached now.',
  turn: 'Waits for its turn: the workers are at other jobs.',
};

/** Who waits for whom, in a sentence; null while nobody does. */
export function awaitedText({ waitsFor }: Pick<Job, 'waitsFor'>): string | null {
  return waitsFor === null ? null : SENTENCES[waitsFor];
}
