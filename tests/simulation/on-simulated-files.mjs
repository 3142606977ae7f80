import path from 'node:path';

/** Production code whose files are those of a simulated world. */
const MODULES =
  /\/(pipeline\/storage\/file-(blob-store|slice|version)|master\/uploads\/(spool|job-uploads))\.ts$/;
const SUBSTITUTE = path.join(import.meta.dirname, 'node-files.ts');

/** A plugin of Vite and of Rolldown: the code is production's, but for what it calls the system. */
export const onSimulatedFiles = {
  name: 'on-simulated-files',
  enforce: 'pre',
  transform(code, id) {
    if (!MODULES.test(id)) return null;
    const imported = `from ${JSON.stringify(SUBSTITUTE)}`;
    return { code: code.replace(/from 'node:fs(\/promises)?'/g, imported), map: null };
  },
};
