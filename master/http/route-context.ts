import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MasterService } from '../service.ts';
import type { HttpConfig } from './http-config.ts';

/** Fastify with TypeBox schemas as types. */
export type Server = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What routes are built on. */
export interface RouteContext {
  readonly service: MasterService;
  readonly config: HttpConfig;
}
