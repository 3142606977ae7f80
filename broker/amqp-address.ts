import { SluiceError } from '../pipeline/errors.ts';

/** `host:port` and, when it is not the default one, the virtual host. Never credentials. */
export function amqpAddress(url: string): string {
  const parts = parse(url);
  const port = parts.port === '' ? (parts.protocol === 'amqps:' ? '5671' : '5672') : parts.port;
  const virtualHost = parts.pathname.replace(/^\//, '');
  return `${parts.hostname}:${port}${virtualHost === '' ? '' : `/${virtualHost}`}`;
}

/** The URL with a heartbeat, in seconds, unless it names one: a dead peer is noticed in two. */
export function withHeartbeat(url: string, seconds: number): string {
  const parts = parse(url);
  if (!parts.searchParams.has('heartbeat')) parts.searchParams.set('heartbeat', String(seconds));
  return parts.href;
}

export interface ConnectFailure {
  readonly error: SluiceError;
  /** Trying again without a change of configuration is of no use. */
  readonly permanent: boolean;
}

/** What a failed attempt to connect or to declare the queues means, and what to do about it. */
export function explainConnectFailure(thrown: unknown, address: string): ConnectFailure {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const advice = adviceFor(text);
  const message = `the broker at ${address} cannot be used: ${advice ?? text}`;
  return {
    permanent: advice !== null,
    error: new SluiceError('broker-unavailable', message, { cause: thrown, details: { address } }),
  };
}

/** Advice for what a retry does not mend; null for the rest. */
function adviceFor(text: string): string | null {
  if (/ACCESS[-_]REFUSED/.test(text)) {
    return /Handshake/.test(text)
      ? 'it refuses the user name or password; correct them in the broker URL'
      : `the user lacks a permission there (${text}); grant configure, write and read`;
  }
  if (/ConnectionClose channel:0|NOT[-_]ALLOWED/.test(text)) {
    return 'the virtual host does not exist or is closed to this user; correct the broker URL';
  }
  if (/PRECONDITION[-_]FAILED/.test(text)) {
    return (
      `a queue of that name exists with other arguments (${text}); ` +
      'delete it when it is empty, or choose another queue prefix'
    );
  }
  return null;
}

function parse(url: string): URL {
  let parts: URL;
  try {
    parts = new URL(url);
  } catch (thrown) {
    throw new SluiceError('usage', 'the broker URL is not a URL; expected amqp://user@host:port', {
      cause: thrown,
    });
  }
  if (parts.protocol !== 'amqp:' && parts.protocol !== 'amqps:') {
    throw new SluiceError('usage', `the broker URL starts with ${parts.protocol}, not with amqp:`);
  }
  return parts;
}
