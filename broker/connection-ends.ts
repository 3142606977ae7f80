import type { Duplex } from 'node:stream';
import type { ChannelModel } from 'amqplib';

/** Declaring and consuming take some milliseconds on a broker that works. */
const SET_UP_WITHIN_MS = 5_000;

/**
 * Gives up on a broker that does not answer: one that has just started may accept a consumer of a
 * quorum queue that has no leader yet, and never reply. The connection is closed, so that the
 * recovery tries anew.
 */
export async function answered(work: Promise<void>, model: ChannelModel): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const reason = `no answer to the set-up within ${SET_UP_WITHIN_MS / 1000} s`;
      cut(model, reason);
      reject(new Error(reason));
    }, SET_UP_WITHIN_MS);
  });
  try {
    await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

/**
 * Closes the socket without a goodbye: a broker whose channel waits for a leader that is gone does
 * not answer it. amqplib takes it as a connection that was lost, and shows its socket to nobody.
 */
export function cut(model: ChannelModel, reason: string): void {
  const { stream } = model.connection as unknown as { readonly stream: Duplex };
  stream.destroy(new Error(reason));
}

/** Closing what is closed already is an error of amqplib's, and what we want. */
export function closeQuietly(model: ChannelModel): void {
  model.close().catch(() => {});
}
