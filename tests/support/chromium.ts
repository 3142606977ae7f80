import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import type { Need } from './needs.ts';

/** Chromium for the dashboard's tests: the one of the system; installed on Debian when root. */

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const INSTALL_MS = 240_000;

const executable = findExecutable() ?? installFromDebian();

export const chromiumNeed: Need = {
  met: executable !== null,
  otherwise: 'Chromium is not installed and cannot be installed here; CHROMIUM names one',
};

export function launchChromium(): Promise<Browser> {
  if (executable === null) throw new Error(chromiumNeed.otherwise);
  return chromium.launch({
    executablePath: executable,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-dev-shm-usage',
      '--no-first-run',
    ],
  });
}

function findExecutable(): string | null {
  const named = process.env['CHROMIUM'];
  const candidates = named === undefined ? CANDIDATES : [named];
  return candidates.find((candidate) => existsSync(candidate)) ?? null;
}

function installFromDebian(): string | null {
  const isDebianRoot = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (!isDebianRoot || process.env['CHROMIUM'] !== undefined) return null;
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { stdio: 'ignore', timeout: INSTALL_MS, env: environment } as const;
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], options);
  return findExecutable();
}
