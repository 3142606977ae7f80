import path from 'node:path';

/** Production code whose files are those of a simulated world. */
const ON_FILES =
  /\/(pipeline\/storage\/file-(blob-store|slice|version)|master\/uploads\/(spool|job-uploads))\.ts$/;
const FILES = path.join(import.meta.dirname, 'node-files.ts');

/** Production code that reads plans. */
const ON_PLANS = /\/master\/.*\.ts$/;
const PLANS = path.join(import.meta.dirname, 'known-plans.ts');

/** A plugin of Vite and of Rolldown: the code is production's, but for what it calls. */
export const onSimulatedFiles = {
  name: 'on-simulated-files',
  enforce: 'pre',
  transform(code, id) {
    const onFiles = ON_FILES.test(id) ? replaced(code, /'node:fs(\/promises)?'/g, FILES) : code;
    const next = ON_PLANS.test(id)
      ? replaced(onFiles, /'(yaml|[./]+pipeline\/plan\/parse\.ts)'/g, PLANS)
      : onFiles;
    return next === code ? null : { code: next, map: null };
  },
};

function replaced(code, module, by) {
  return code.replace(new RegExp(`from ${module.source}`, 'g'), `from ${JSON.stringify(by)}`);
}
