import { SluiceError } from '../errors.ts';

export interface DecompressionLimits {
  /** Bytes out per byte in, once more than `decompressionFreeBytes` are out. */
  readonly decompressionRatioMax: number;
  readonly decompressionFreeBytes: number;
  readonly decompressedBytesMax: number;
}

/** `limit-exceeded` for a bomb, or for more than can be read at all; else null. */
export function ratioFault(
  bytesIn: number,
  bytesOut: number,
  limits: DecompressionLimits,
): SluiceError | null {
  const { decompressionRatioMax, decompressionFreeBytes, decompressedBytesMax } = limits;
  const isBomb = bytesOut > decompressionFreeBytes && bytesOut > bytesIn * decompressionRatioMax;
  if (!isBomb && bytesOut <= decompressedBytesMax) return null;
  const limit = isBomb ? `${decompressionRatioMax} times its size` : `${decompressedBytesMax} B`;
  return new SluiceError('limit-exceeded', `The input decompresses to more than ${limit}`, {
    details: { bytesIn, bytesOut, decompressionRatioMax, decompressedBytesMax },
  });
}
