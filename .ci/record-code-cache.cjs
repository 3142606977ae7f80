// Loaded before a built script (`node --require`): keeps what was compiled while it ran. At the end
// of each process and thread it is written beside the script, for start.cjs.
'use strict';
const { renameSync, writeFileSync } = require('node:fs');
const vm = require('node:vm');
const { BroadcastChannel, Worker, isMainThread, threadId } = require('node:worker_threads');

const scripts = new Map();

vm.Script = class extends vm.Script {
  constructor(text, options) {
    super(text, options);
    scripts.set(options.filename, this);
  }
};

function save() {
  for (const [file, script] of scripts) {
    const part = `${file}.${process.pid}.${threadId}.part`;
    writeFileSync(part, script.createCachedData());
    renameSync(part, `${file}.cache`);
  }
}

// A thread that is terminated is told of no exit.
const channel = new BroadcastChannel('code-cache');
channel.unref();
if (isMainThread) {
  process.on('exit', save);
  const { terminate } = Worker.prototype;
  Worker.prototype.terminate = async function () {
    await new Promise((resolve) => {
      channel.onmessage = resolve;
      channel.ref();
      channel.postMessage('save');
    });
    channel.unref();
    return terminate.call(this);
  };
} else {
  channel.onmessage = () => {
    save();
    channel.postMessage('saved');
  };
}
