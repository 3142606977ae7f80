import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes a folder and those above it that are missing, one after another: Node's recursive mkdir never
 * returns where the system says ENOENT of a name whose parent is there, as it does in /proc. Throws
 * the system's error.
 */
export function makeFolder(dir: string): void {
  const missing: string[] = [];
  let at = path.resolve(dir);
  while (!existsSync(at)) {
    missing.push(at);
    at = path.dirname(at);
  }
  for (const folder of missing.reverse()) {
    try {
      mkdirSync(folder);
    } catch (thrown) {
      // Another process may have made it just now.
      if (!existsSync(folder)) throw thrown;
    }
  }
  if (!statSync(dir).isDirectory()) throw new Error(`${dir} is a file, not a folder`);
}
