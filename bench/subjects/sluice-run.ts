import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Profile } from '../../pipeline/protocol/index.ts';
import { assignmentFromArguments, planFor, report } from '../assignment.ts';

/** The command line as a user runs it, its start and its workers' start included. */
const assignment = assignmentFromArguments();
const { task, file, output, threads } = assignment;
const cli = path.join(import.meta.dirname, '..', '..', 'cli', 'main.js');
const planFile = `${output}.plan.json`;
const profileFile = `${output}.profile.json`;
writeFileSync(planFile, planFor(assignment));
const args = ['run', file, '--plan', planFile, '--quiet'];
// As many as there are cores is what it does by itself, when there is work for them.
if (threads !== availableParallelism()) args.push('--workers', String(threads));
if (task === 'profile') args.push('-o', `${output}.copy`, '--profile', profileFile);
else args.push('-o', output);
const done = spawnSync(process.execPath, [cli, ...args], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (done.status !== 0) throw new Error(`sluice run exited with ${done.status}`);
if (task === 'profile') {
  const profile = JSON.parse(readFileSync(profileFile, 'utf8')) as Profile;
  const lines = profile.columns.map(({ name, count }) => `${name},${count}\n`);
  writeFileSync(output, `column,records\n${lines.join('')}`);
  rmSync(`${output}.copy`);
  rmSync(profileFile);
}
rmSync(planFile);
report({ ms: null });
