import { SluiceError, toSluiceError } from '../errors.ts';

/** What the system said of a file, as an error of the store. `dir` is where the store is. */
export function storageError(name: string, dir: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const code = systemCode(thrown);
  const details = { name, dir, system: code };
  if (code === 'ENOENT') {
    return new SluiceError('blob-missing', `${name} is not in the store`, { details });
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const message = `no space left for ${name} in ${dir}: free some space and try again`;
    return new SluiceError('disk-full', message, { details, cause: thrown });
  }
  const error = toSluiceError(thrown);
  if (error.code !== 'internal') return error;
  return new SluiceError('storage-failed', `${name}: ${error.message}`, { details, cause: thrown });
}

/** Code of a system's error, such as ENOENT; '' for any other. */
export function systemCode(thrown: unknown): string {
  const code: unknown = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}

export function isMissing(thrown: unknown): boolean {
  return systemCode(thrown) === 'ENOENT' || systemCode(thrown) === 'ENOTDIR';
}

export function ignoreMissing(thrown: unknown): undefined {
  if (systemCode(thrown) !== 'ENOENT') throw thrown;
}
