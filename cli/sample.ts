import { LIMITS } from '../pipeline/limits.ts';
import type { InputSource } from './input-source.ts';

/** The first bytes of an input, as many as sniffing takes. */
export async function readSample(
  input: InputSource,
): Promise<{ bytes: Buffer; complete: boolean }> {
  const parts: Buffer[] = [];
  let length = 0;
  const body = input.open();
  for await (const part of body as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > LIMITS.sniffBytesMax) break;
  }
  body.destroy();
  const bytes = Buffer.concat(parts);
  const complete = length <= LIMITS.sniffBytesMax;
  return { bytes: bytes.subarray(0, LIMITS.sniffBytesMax), complete };
}
