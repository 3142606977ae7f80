import { IllegalOperationError, type ConfirmChannel, type Message } from 'amqplib';

export interface OutgoingMessage {
  readonly queue: string;
  readonly messageId: string;
  readonly content: Uint8Array;
  /** Kept by the broker over its restart. */
  readonly persistent: boolean;
}

/**
 * `lost`: the channel went away first, nobody knows. `refused`: the broker said no, or the channel
 * was being closed. `unroutable`: the queue does not exist.
 */
export type PublishOutcome = 'stored' | 'lost' | 'refused' | 'unroutable';

/**
 * Publishes on one confirm channel. Any number of publishes may wait at once; the broker confirms
 * them in groups. Messages that no queue took come back before their confirm (`mandatory`).
 */
export class ConfirmedPublisher {
  readonly #channel: ConfirmChannel;
  readonly #signal: AbortSignal;
  readonly #returned = new Set<string>();
  #sequence = 0;

  constructor(channel: ConfirmChannel, signal: AbortSignal) {
    this.#channel = channel;
    this.#signal = signal;
    channel.on('return', (message: Message) => {
      this.#returned.add(String(message.properties.correlationId));
    });
  }

  publish(message: OutgoingMessage): Promise<PublishOutcome> {
    if (this.#signal.aborted) return Promise.resolve('lost');
    const correlationId = String(this.#sequence++);
    return new Promise((resolve) => {
      const onConfirm = (error: unknown): void => {
        const unroutable = this.#returned.delete(correlationId);
        if (error === null) resolve(unroutable ? 'unroutable' : 'stored');
        else resolve(this.#signal.aborted || isChannelClosed(error) ? 'lost' : 'refused');
      };
      try {
        this.#channel.sendToQueue(
          message.queue,
          Buffer.from(message.content.buffer, message.content.byteOffset, message.content.length),
          {
            messageId: message.messageId,
            correlationId,
            contentType: 'application/json',
            persistent: message.persistent,
            mandatory: true,
          },
          onConfirm,
        );
      } catch (thrown) {
        // Between the close and its confirmation the channel takes nothing; its successor will.
        if (!(thrown instanceof IllegalOperationError)) throw thrown;
        resolve('refused');
      }
    });
  }
}

function isChannelClosed(error: unknown): boolean {
  return error instanceof Error && error.message === 'channel closed';
}
