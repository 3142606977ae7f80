import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { awaitsContinue } from './expect-continue.ts';

export interface DrainLimits {
  readonly drainBytesMax: number;
  readonly drainMsMax: number;
}

/**
 * Sends a JSON document, also while the client still uploads. Closing a socket that holds unread
 * bytes makes the kernel reset it, and the client would see "connection reset" instead of our
 * answer; so the answer goes out at once, then what comes is read and dropped within bounds, and
 * only then the connection is closed.
 */
export function sendDocument(
  reply: FastifyReply,
  contentType: string,
  document: unknown,
  limits: DrainLimits,
): FastifyReply {
  const text = JSON.stringify(document);
  const raw = reply.request.raw;
  void reply.type(contentType).serializer((payload: string) => payload);
  if (!hasUnreadBody(raw)) return reply.send(text);
  void reply.header('connection', 'close');
  if (awaitsContinue(raw) || reply.request.method === 'HEAD') return reply.send(text);
  void reply.header('content-length', Buffer.byteLength(text));
  return reply.send(Readable.from(thenDrain(text, raw, limits), { objectMode: false }));
}

async function* thenDrain(
  text: string,
  raw: IncomingMessage,
  limits: DrainLimits,
): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
  await drain(raw, limits);
}

/** Reads and drops the rest of a body; resolves at its end, or at a bound. */
function drain(raw: IncomingMessage, limits: DrainLimits): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const timer = setTimeout(finish, limits.drainMsMax);
    function onData(chunk: Buffer): void {
      bytes += chunk.length;
      if (bytes > limits.drainBytesMax) finish();
    }
    function finish(): void {
      clearTimeout(timer);
      raw.off('data', onData).off('end', finish).off('close', finish).off('error', finish);
      resolve();
    }
    if (raw.readableEnded || raw.destroyed) return finish();
    raw.on('end', finish).on('close', finish).on('error', finish).on('data', onData);
    raw.resume();
  });
}

function hasUnreadBody(raw: IncomingMessage): boolean {
  if (raw.complete || raw.readableEnded) return false;
  const length = raw.headers['content-length'];
  const hasLength = length !== undefined && length !== '0';
  return hasLength || raw.headers['transfer-encoding'] !== undefined;
}
