/** Where the build puts what it makes: `dist/`, seen from a built file and from a source file alike. */
const here = import.meta.url;
const dist = here.endsWith('.ts')
  ? new URL('../dist/', here)
  : new URL(here.slice(0, here.lastIndexOf('/dist/') + '/dist/'.length));

/** Address of a built file, by its name in `dist/`. */
export function builtFile(name: string): URL {
  return new URL(name, dist);
}
