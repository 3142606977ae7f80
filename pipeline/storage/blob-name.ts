import { SluiceError } from '../errors.ts';

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}(\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}){0,2}$/;

/** Throws `bad-request` unless the name has 1 to 3 plain segments: names are never paths. */
export function assertBlobName(name: string): void {
  if (!NAME.test(name)) {
    throw new SluiceError('bad-request', `not a blob name: ${JSON.stringify(name.slice(0, 80))}`);
  }
}
