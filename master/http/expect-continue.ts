import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route itself says when the client may start to send its body. */
    readonly lazyContinue?: boolean;
  }
}

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/**
 * `Expect: 100-continue`: the client is told to go on only when its body is wanted, so that a
 * request without the right token or with a bad plan is answered before any byte travels.
 */
export function answerExpectations(app: FastifyInstance): void {
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.set(request, response);
    app.routing(request, response);
  });
  app.addHook('preParsing', async (request) => {
    if (request.routeOptions.config.lazyContinue !== true) sendContinue(request.raw);
  });
}

/** Tells a waiting client to send; does nothing for others and for a second call. */
export function sendContinue(request: IncomingMessage): void {
  const response = waiting.get(request);
  if (response === undefined) return;
  waiting.delete(request);
  response.writeContinue();
}

/** True while the client waits for our word and sends nothing. */
export function awaitsContinue(request: IncomingMessage): boolean {
  return waiting.has(request);
}
