import { SluiceError } from '../errors.ts';

/** A folder of a bucket, on whatever server. Plain JSON; credentials come by the SDK's own ways. */
export interface S3Location {
  readonly bucket: string;
  /** '' or ending with a slash. */
  readonly prefix: string;
  /** Null for Amazon's. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Whether the bucket stands in the path, and not in the host name. */
  readonly pathStyle: boolean;
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const SEGMENT = '[A-Za-z0-9_-][A-Za-z0-9._-]*';
const PREFIX = new RegExp(`^(${SEGMENT}(/${SEGMENT})*)?$`);

/**
 * The location that `s3://bucket/prefix` and the environment name: `SLUICE_S3_ENDPOINT`,
 * `SLUICE_S3_REGION`, `SLUICE_S3_PATH_STYLE` (1 or 0; 1 when left out and there is an endpoint).
 * Errors: `usage`.
 */
export function s3Location(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
): S3Location {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/.exec(url) ?? [];
  const folder = rest.replace(/\/+$/, '');
  if (!BUCKET.test(bucket) || !PREFIX.test(folder)) {
    throw new SluiceError('usage', `--store takes s3://bucket or s3://bucket/prefix, not ${url}`);
  }
  const endpoint = env['SLUICE_S3_ENDPOINT'] ?? null;
  if (endpoint !== null && !/^https?:\/\//.test(endpoint)) {
    throw new SluiceError('usage', 'SLUICE_S3_ENDPOINT takes an http:// or https:// URL');
  }
  const pathStyle = env['SLUICE_S3_PATH_STYLE'];
  return {
    bucket,
    prefix: folder === '' ? '' : `${folder}/`,
    endpoint,
    region: env['SLUICE_S3_REGION'] ?? env['AWS_REGION'] ?? 'us-east-1',
    pathStyle: pathStyle === undefined ? endpoint !== null : pathStyle === '1',
  };
}
