import type { Logger } from 'pino';
import type { BrokerEvent } from './amqp-connection.ts';

/** Writes what happens to a connection into a log; the same failure again and again only once. */
export function logBrokerEvents(log: Logger): (event: BrokerEvent) => void {
  let lastFailure: string | null = null;
  return (event) => {
    switch (event.kind) {
      case 'connected':
        lastFailure = null;
        log.info({ address: event.address }, 'broker connected');
        return;
      case 'disconnected':
        log.warn({ address: event.address, reason: event.reason }, 'broker connection lost');
        return;
      case 'unreachable':
        if (event.error.message === lastFailure) return;
        lastFailure = event.error.message;
        log.error({ err: event.error }, 'broker not reachable');
        return;
      case 'malformed-message':
        log.error({ queue: event.queue, reason: event.reason }, 'malformed message dropped');
        return;
      case 'handler-failed':
        log.error({ queue: event.queue, err: event.error }, 'message handler failed');
        return;
    }
  };
}
