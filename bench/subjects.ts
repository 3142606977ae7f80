import type { Task } from './assignment.ts';

/** Who is measured. Each runs in a child process of its own, started anew for every run. */
export interface Subject {
  readonly name: string;
  /** File under subjects/, without its ending. */
  readonly script: string;
  readonly tasks: readonly Task[];
  /** Whether it writes an answer that is compared. Stages do not. */
  readonly answers: boolean;
  readonly needsBroker: boolean;
  /** Data sets above this size are not given to it: it would take all day. */
  readonly megabytesMax: number;
}

const EVERY: readonly Task[] = ['count', 'filter', 'group', 'profile', 'copy'];

const peer = { tasks: EVERY, answers: true, needsBroker: false, megabytesMax: Infinity };
const stage = { answers: false, needsBroker: false, megabytesMax: 1000 };

export const SUBJECTS: readonly Subject[] = [
  { ...stage, name: 'stage: chunker', script: 'stage-chunker', tasks: ['copy'] },
  { ...stage, name: 'stage: chunk program', script: 'stage-program', tasks: EVERY },
  { ...peer, name: 'sluice run', script: 'sluice-run' },
  { ...peer, name: 'sluice upload', script: 'sluice-upload' },
  { ...peer, name: 'sluice upload, RabbitMQ', script: 'sluice-upload', needsBroker: true },
  { ...peer, name: 'DuckDB', script: 'duckdb' },
  { ...peer, name: 'uDSV', script: 'udsv', megabytesMax: 1000 },
  { ...peer, name: 'Papa Parse', script: 'papa-parse', megabytesMax: 400 },
  { ...peer, name: 'csv-parse', script: 'csv-parse', megabytesMax: 400 },
];
