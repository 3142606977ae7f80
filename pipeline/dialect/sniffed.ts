import type { Dialect } from '../parsing/dialect.ts';
import type { InputDescription } from '../protocol/job.ts';

/** What a sample says about its input. */
export interface Sniffed {
  readonly input: InputDescription;
  readonly dialect: Dialect;
  /** Bytes of the decoded text before the first data record. */
  readonly dataOffset: number;
  /** Lines before the first data record. */
  readonly dataLine: number;
  /** The first data records as text; null for NULL. */
  readonly records: (string | null)[][];
  readonly warnings: string[];
}
