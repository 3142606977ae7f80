import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { builtFile } from '../../pipeline/built-files.ts';
import { invariant } from '../../pipeline/errors.ts';
import { compileKernel } from '../../pipeline/parsing/structural/kernel.ts';
import { openBlobStore } from '../../pipeline/storage/open-blob-store.ts';
import type { OpenMessage, ThreadData } from './ingest-messages.ts';
import { runSession } from './input-session.ts';

/** Entry of an ingest thread: takes sessions, several at a time where uploads share a thread. */
invariant(parentPort !== null, 'runs in a worker thread');
const wasm = builtFile('pipeline/parsing/structural/kernel.wasm');
const kernel = compileKernel(readFileSync(wasm));
const { place } = workerData as ThreadData;
const opening = openBlobStore(place);

parentPort.on('message', ({ port, input }: OpenMessage) => {
  // A store that cannot be opened ends the thread; what fails in a session ends that.
  void opening.then((blobs) => runSession({ blobs, kernel }, port, input));
});
