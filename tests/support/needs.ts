import { describe } from 'vitest';

/** Something a suite cannot do without: a corpus, a broker, a browser. */
export interface Need {
  readonly met: boolean;
  /** Such as 'RabbitMQ is not installed'; shown beside the suite's name in the list of skips. */
  readonly otherwise: string;
}

/** A suite that runs where `need` is met, and is reported as skipped with the reason elsewhere. */
export function describeWith(need: Need, name: string, suite: () => void): void {
  if (need.met) describe(name, suite);
  else describe.skip(`${name} (${need.otherwise})`, suite);
}
