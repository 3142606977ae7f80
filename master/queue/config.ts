/** By this `node --watch` makes a process report its modules to its parent, over the very channel
 *  that the queue uses. */
const WATCH_MODE = 'WATCH_REPORT_DEPENDENCIES';

/** This process's environment with additions, for a child process, which sees none that is undefined. */
export function childEnvironment(
  additions: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv {
  const environment = { ...process.env, ...additions };
  delete environment[WATCH_MODE];
  return environment;
}
