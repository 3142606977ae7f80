import type { Readable } from 'node:stream';
import { SluiceError } from '../../pipeline/errors.ts';

const NEWS = ['readable', 'end', 'error', 'close'] as const;

/**
 * A stream's bytes, each time all that have come meanwhile: what is done with them is done a few
 * times a megabyte, and not for every packet. Throws what the stream fails with. Leaves the stream
 * to its owner.
 */
export async function* gathered(body: Readable): AsyncGenerator<Buffer> {
  let wake = (): void => undefined;
  const onNews = (): void => wake();
  for (const event of NEWS) body.on(event, onNews);
  try {
    for (;;) {
      const news = new Promise<void>((resolve) => (wake = resolve));
      const bytes = body.read() as Buffer | null;
      if (bytes !== null) yield bytes;
      else if (body.errored !== null) throw body.errored;
      else if (body.readableEnded) return;
      else if (body.destroyed) throw new SluiceError('input-truncated', 'the input was cut off');
      else await news;
    }
  } finally {
    for (const event of NEWS) body.off(event, onNews);
  }
}
