import { LIMITS } from '../limits.ts';

/** One durable queue of the broker, with the arguments it is declared with. */
export interface QueueDeclaration {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string | number>>;
}

/**
 * Queues that master and workers share. A deployment is set apart by its prefix, so that several
 * can use one virtual host. Queues are reached through the default exchange, by name.
 *
 * - `tasks`: replicated; a task returned too often, or refused by a worker, goes to `dead` and is
 *   kept here until it has arrived there (at-least-once, which needs `reject-publish`).
 * - `results`: replicated; announcements of results and failures. No delivery limit: the master
 *   does not return one, it tries again itself.
 * - `workers`: heartbeats, worth nothing after some seconds, and not kept for longer. Replicated all
 *   the same: a queue whose one node is down can be neither used nor declared anew.
 * - `dead`: replicated; tasks that nobody could process.
 * - `revoked`: an exchange that tells every worker the ids of jobs whose tasks are wanted no more.
 */
export interface BrokerTopology {
  readonly tasks: QueueDeclaration;
  readonly results: QueueDeclaration;
  readonly workers: QueueDeclaration;
  readonly dead: QueueDeclaration;
  readonly revoked: string;
}

export const DEFAULT_BROKER_PREFIX = 'sluice';

/** Heartbeats waiting while no master reads; 5 a second and worker would fill it in seconds. */
const HEARTBEATS_MAX = 10_000;

const quorum = { 'x-queue-type': 'quorum' } as const;

/** `deliveryLimit` is how often a task is delivered before it is dead-lettered. */
export function brokerTopology(
  prefix: string = DEFAULT_BROKER_PREFIX,
  deliveryLimit: number = LIMITS.deliveryLimit,
): BrokerTopology {
  const dead = `${prefix}.dead`;
  return {
    tasks: {
      name: `${prefix}.tasks`,
      arguments: {
        ...quorum,
        // RabbitMQ counts returns after the first delivery.
        'x-delivery-limit': deliveryLimit - 1,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': dead,
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      },
    },
    results: { name: `${prefix}.results`, arguments: quorum },
    workers: {
      name: `${prefix}.heartbeats`,
      arguments: {
        ...quorum,
        'x-message-ttl': LIMITS.workerSilentMs,
        'x-max-length': HEARTBEATS_MAX,
      },
    },
    dead: { name: dead, arguments: quorum },
    revoked: `${prefix}.revoked`,
  };
}
