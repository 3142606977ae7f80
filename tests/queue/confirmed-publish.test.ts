import { EventEmitter } from 'node:events';
import { IllegalOperationError, type ConfirmChannel } from 'amqplib';
import { expect, it } from 'vitest';
import { ConfirmedPublisher } from '../../broker/confirmed-publish.ts';

const MESSAGE = { queue: 'q', messageId: 'm', content: Buffer.from('{}'), persistent: true };

/** A channel whose `sendToQueue` is given. */
function publisherOver(sendToQueue: () => boolean): ConfirmedPublisher {
  const channel = Object.assign(new EventEmitter(), { sendToQueue }) as unknown as ConfirmChannel;
  return new ConfirmedPublisher(channel, new AbortController().signal);
}

it('a publish that meets a channel about to close is refused, to be tried on the next one', async () => {
  const publisher = publisherOver(() => {
    throw new IllegalOperationError('Channel closing', '');
  });
  expect(await publisher.publish(MESSAGE)).toBe('refused');
});

it('a fault of our own is no refusal', async () => {
  const publisher = publisherOver(() => {
    throw new TypeError('no buffer');
  });
  await expect(publisher.publish(MESSAGE)).rejects.toThrow(TypeError);
});
