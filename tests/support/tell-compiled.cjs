// Loaded before a built script: writes for each one whether V8 took the code that was kept of it.
'use strict';
const { appendFileSync } = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

vm.Script = class extends vm.Script {
  constructor(text, options) {
    super(text, options);
    const name = path.basename(options.filename).replace(/-[\w-]{8}\.js$/, '');
    const verdict = this.cachedDataRejected === false ? 'taken' : 'compiled';
    appendFileSync(process.env['COMPILED_LOG'], `${name} ${verdict}\n`);
  }
};
