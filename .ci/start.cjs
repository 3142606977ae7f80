// Starts a built script with the code that V8 compiled when it was built (`FILE.cache`, see
// code-cache.mjs): compiling is half of what a process costs until it works. V8 refuses what another
// version of it, or the same with other flags, has made, and compiles then; so it does where there is
// none. It does not look at the text, only at its length: a script has its hash in its name.
'use strict';
const { isAscii } = require('node:buffer');
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { Script } = require('node:vm');

const HEAD = '(function (exports, require, module, __filename, __dirname) {';

/** By file, as `require` keeps them. */
const modules = new Map();

/** Runs a script, once, and returns what it exports. */
function start(file) {
  const started = modules.get(file);
  if (started !== undefined) return started.exports;
  const module = { exports: {} };
  modules.set(file, module);
  const folder = path.dirname(file);
  const packages = createRequire(file);
  const require = (id) => (id.startsWith('./') ? start(path.join(folder, id)) : packages(id));
  const run = compile(file).runInThisContext();
  run.call(module.exports, module.exports, require, module, file, folder);
  return module.exports;
}

function compile(file) {
  const bytes = readFileSync(file);
  const text = bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');
  return new Script(`${HEAD}${text}\n})`, {
    filename: file,
    columnOffset: -HEAD.length,
    cachedData: compiled(file),
  });
}

function compiled(file) {
  try {
    return readFileSync(`${file}.cache`);
  } catch {
    return undefined;
  }
}

module.exports = start;
