import { createHash } from 'node:crypto';
import { SluiceError } from '../errors.ts';

/** Whether an object's name is the hash of its bytes. */
export function isContentHash(name: string): boolean {
  return /^(chunks|lookups)\//.test(name);
}

export function verifyContent(name: string, file: string, bytes: Uint8Array): void {
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (!name.endsWith(`/${digest}`)) {
    throw new SluiceError('blob-corrupt', `${name} does not match its hash (in ${file})`, {
      details: { name, digest, bytes: bytes.length },
    });
  }
}
