import { randomUUID } from 'node:crypto';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { BrokerTopology } from '../pipeline/protocol/broker-topology.ts';
import type { Revocation } from '../pipeline/protocol/index.ts';
import { parseRevocation } from '../pipeline/protocol/parse-message.ts';

/** Declares queues and exchange as they are to be; those that are there stay. */
export async function declareTopology(
  channel: ConfirmChannel,
  topology: BrokerTopology,
): Promise<void> {
  for (const queue of [topology.dead, topology.tasks, topology.results, topology.workers]) {
    await channel.assertQueue(queue.name, { durable: true, arguments: queue.arguments });
  }
  await channel.assertExchange(topology.revoked, 'fanout', { durable: true });
}

/** Tells of revocations, by a queue of this connection's own, which ends with it. */
export async function listenToRevocations(
  channel: ConfirmChannel,
  { revoked }: BrokerTopology,
  onRevoked: (revocation: Revocation) => void,
): Promise<void> {
  const name = `${revoked}.${randomUUID()}`;
  const { queue } = await channel.assertQueue(name, { exclusive: true, autoDelete: true });
  await channel.bindQueue(queue, revoked, '');
  const onMessage = (message: ConsumeMessage | null): void => {
    const revocation = message === null ? null : parseRevocation(message.content);
    if (revocation?.ok === true) onRevoked(revocation.value);
  };
  await channel.consume(queue, onMessage, { noAck: true, exclusive: true });
}
