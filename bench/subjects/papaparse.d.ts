/** The part of Papa Parse that its subject uses; the package brings no types. */
declare module 'papaparse' {
  import type { Readable } from 'node:stream';

  interface ParseConfig<T> {
    skipEmptyLines: boolean;
    step(result: { data: T }): void;
    complete(): void;
    error(error: Error): void;
  }
  const Papa: { parse<T>(input: Readable, config: ParseConfig<T>): void };
  export default Papa;
}
