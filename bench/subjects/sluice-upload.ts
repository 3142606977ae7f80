import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Profile } from '../../pipeline/protocol/index.ts';
import { assignmentFromArguments, planFor, report } from '../assignment.ts';
import { download, upload } from '../client.ts';
import { startServer } from '../server.ts';

/** Upload over HTTP to a running server, until the result is downloaded. The start is not counted. */
const assignment = assignmentFromArguments();
const { task, file, output, threads, broker } = assignment;
const server = await startServer(threads, broker);
try {
  const startedMs = performance.now();
  const { id } = await upload(server.url, file, planFor(assignment));
  if (task === 'profile') await writeProfile(id);
  else await download(`${server.url}/api/jobs/${id}/result?follow=1`, output);
  report({ ms: performance.now() - startedMs });
} finally {
  await server.stop();
}

async function writeProfile(id: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${server.url}/api/jobs/${id}/profile`);
    const profile = (await answer.json()) as Profile;
    if (!profile.complete) {
      await pause(20);
      continue;
    }
    const lines = profile.columns.map(({ name, count }) => `${name},${count}\n`);
    writeFileSync(output, `column,records\n${lines.join('')}`);
    return;
  }
}
