// Builds the kernel (AssemblyScript), the server (rolldown) and the dashboard (vite) into dist/, and
// has V8 keep what it compiles of the server.
// --if-stale: does nothing when every source is older than the last build.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const stamp = path.join(root, 'dist', '.built');
const rooms = ['pipeline', 'broker', 'master', 'worker', 'cli', 'bench'];
const serverRooms = [...rooms, '.ci'];
const dashboardRooms = ['dashboard-vue', 'pipeline/protocol'];
const kernelRoom = 'pipeline/parsing/structural/assembly';

function newestMs(name) {
  const target = path.join(root, name);
  if (!existsSync(target)) return 0;
  const stat = statSync(target);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(target).reduce(
    (newest, child) => Math.max(newest, newestMs(path.join(name, child))),
    stat.mtimeMs,
  );
}

function run(label, script, args) {
  const startedMs = Date.now();
  const done = spawnSync(process.execPath, [path.join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (done.status !== 0) {
    rmSync(stamp, { force: true });
    console.error(`sluice: the ${label} build failed`);
    process.exit(done.status ?? 1);
  }
  console.log(`built ${label} in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}

/** Lets `npx sluice` find the command here at once, without a copy in npm's cache. */
function linkCommand() {
  const link = path.join(root, 'node_modules', '.bin', 'sluice');
  if (process.platform === 'win32' || existsSync(link)) return;
  rmSync(link, { force: true });
  symlinkSync(path.join('..', '..', 'dist', 'cli', 'main.js'), link);
}

const ifStale = process.argv.includes('--if-stale');
const serverOnly = process.argv.includes('--server');
const builtMs = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
const isStale = (rooms) => !ifStale || rooms.some((room) => newestMs(room) > builtMs);
const staleServer = isStale(serverRooms);
const staleDashboard = !serverOnly && isStale(dashboardRooms);

if (!existsSync(path.join(root, 'node_modules', 'rolldown'))) {
  console.error(
    'sluice: the build needs the dev dependencies; run npm install (without --omit=dev)',
  );
  process.exit(existsSync(stamp) ? 0 : 1);
}
if (staleServer) {
  for (const room of [...rooms, 'shared']) {
    rmSync(path.join(root, 'dist', room), { recursive: true, force: true });
  }
  run('kernel', 'assemblyscript/bin/asc.js', [
    `${kernelRoom}/index.ts`,
    ...['-O3', '--noAssert', '--enable', 'simd', '--enable', 'bulk-memory', '--runtime', 'stub'],
    ...['--importMemory', '-o', 'dist/pipeline/parsing/structural/kernel.wasm'],
  ]);
  run('server', 'rolldown/bin/cli.mjs', [
    '--config',
    '.ci/rolldown.config.mjs',
    '--logLevel',
    'warn',
  ]);
  chmodSync(path.join(root, 'dist', 'cli', 'main.js'), 0o755);
  // What it could not do costs time at each start, and nothing else.
  spawnSync(process.execPath, [path.join(root, '.ci', 'code-cache.mjs')], { stdio: 'inherit' });
}
if (staleDashboard && existsSync(path.join(root, 'dashboard-vue', 'vite.config.ts'))) {
  run('dashboard', 'vite/bin/vite.js', ['build', 'dashboard-vue', '--logLevel', 'warn']);
}
if ((staleServer || staleDashboard) && !serverOnly) writeFileSync(stamp, new Date().toISOString());
if (existsSync(path.join(root, 'dist', 'cli', 'main.js'))) linkCommand();
