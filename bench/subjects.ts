import type { Task } from './assignment.ts';
import { ensurePolars } from './ensure-polars.ts';

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
  /** Installs what it needs, and says whether it is there. */
  readonly isInstalled?: () => boolean;
}

const EVERY: readonly Task[] = ['count', 'filter', 'group', 'many', 'sort', 'profile', 'copy'];
/** A stage knows no second wave. */
const ONE_WAVE = EVERY.filter((task) => task !== 'sort' && task !== 'many');

const peer = { tasks: EVERY, answers: true, needsBroker: false, megabytesMax: Infinity };
const stage = { answers: false, needsBroker: false, megabytesMax: 1000 };

export const SUBJECTS: readonly Subject[] = [
  { ...stage, name: 'stage: chunker', script: 'stage-chunker', tasks: ['copy'] },
  { ...stage, name: 'stage: chunk program', script: 'stage-program', tasks: ONE_WAVE },
  { ...peer, name: 'sluice run', script: 'sluice-run' },
  { ...peer, name: 'sluice upload', script: 'sluice-upload' },
  { ...peer, name: 'sluice upload, RabbitMQ', script: 'sluice-upload', needsBroker: true },
  { ...peer, name: 'DuckDB', script: 'duckdb' },
  {
    ...peer,
    ...{ name: 'Polars', script: 'polars', tasks: EVERY.filter((task) => task !== 'profile') },
    isInstalled: ensurePolars,
  },
  { ...peer, name: 'uDSV', script: 'udsv', megabytesMax: 500 },
  { ...peer, name: 'Papa Parse', script: 'papa-parse', megabytesMax: 60 },
  { ...peer, name: 'csv-parse', script: 'csv-parse', megabytesMax: 60 },
];
