import type { Channel, ConsumeMessage } from 'amqplib';

/** One message from a queue. Settling it after the channel is gone does nothing: it comes again. */
export interface AmqpDelivery {
  readonly content: Uint8Array;
  readonly redelivered: boolean;
  /** How often it was returned before, as far as the queue counts that. */
  readonly returns: number;
  /** Why it was dead-lettered, in RabbitMQ's words; null when it was not. */
  readonly deadReason: string | null;
  /** Fires when the channel is gone. */
  readonly signal: AbortSignal;
  ack(): void;
  /** Gives the message back to its queue. */
  requeue(): void;
  /** Dead-letters the message. */
  reject(): void;
}

export function amqpDelivery(
  channel: Channel,
  message: ConsumeMessage,
  signal: AbortSignal,
): AmqpDelivery {
  let settled = false;
  const once = (settle: () => void): void => {
    if (settled || signal.aborted) return;
    settled = true;
    settle();
  };
  const headers = message.properties.headers ?? {};
  const returns: unknown = headers['x-delivery-count'];
  const deadReason: unknown = headers['x-first-death-reason'];
  return {
    content: message.content,
    redelivered: message.fields.redelivered,
    returns: typeof returns === 'number' ? returns : 0,
    deadReason: typeof deadReason === 'string' ? deadReason : null,
    signal,
    ack: () => once(() => channel.ack(message)),
    requeue: () => once(() => channel.nack(message, false, true)),
    reject: () => once(() => channel.nack(message, false, false)),
  };
}
