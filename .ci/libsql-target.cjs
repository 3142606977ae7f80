// In place of what `libsql` asks for the name of its native part (@neon-rs/load). On Linux that takes
// the C library from a diagnostic report, for which every thread of the process has to stop and
// write: 10 to 30 ms of a start. `libsql` looks at the C library once more, in a file, and corrects
// this answer where it is glibc.
'use strict';
const neon = require('../node_modules/@neon-rs/load/dist/index.js');

exports.load = neon.load;
exports.currentTarget = () => {
  const { platform, arch } = process;
  const asks = platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64');
  return asks ? neon.currentTarget() : `linux-${arch}-musl`;
};
