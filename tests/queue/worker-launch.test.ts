import { pino } from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import { childEnvironment } from '../../master/queue/config.ts';
import { workerLaunch } from '../../master/queue/worker-launch.ts';
import type { BlobPlace } from '../../pipeline/storage/open-blob-store.ts';

const FOLDER: BlobPlace = { kind: 'file', dir: '/data/blobs', durable: true };
const BUCKET: BlobPlace = {
  kind: 's3',
  location: {
    ...{ bucket: 'b', prefix: '', endpoint: null, region: 'eu-central-1', pathStyle: false },
  },
};
const BROKER = { url: 'amqps://host', prefix: 'sluice' };

afterEach(() => void vi.unstubAllEnvs());

it.each([
  ['its master and a folder', FOLDER, null, undefined],
  ['a bucket', BUCKET, null, '/etc/extra.pem'],
  ['a broker', FOLDER, BROKER, '/etc/extra.pem'],
])('a worker that talks to %s has the certificates that it needs', (_, storage, broker, file) => {
  vi.stubEnv('NODE_EXTRA_CA_CERTS', '/etc/extra.pem');
  const log = pino({ level: 'silent' });
  const { env = {} } = workerLaunch({ workerEntry: 'main.js', storage, log }, broker);
  expect(childEnvironment(env)).toMatchObject({ SLUICE_LOG_LEVEL: 'silent' });
  expect(childEnvironment(env)['NODE_EXTRA_CA_CERTS']).toBe(file);
});
