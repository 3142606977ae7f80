import type { ChunkStatistics } from '../protocol/messages.ts';

/** What is known of a task that is done. */
export interface WaveInput {
  readonly taskKey: string;
  readonly statistics: ChunkStatistics;
  /** The verified exchange section of its result. */
  readonly exchange: Uint8Array;
}
