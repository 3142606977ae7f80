import { Type, type Static, type TSchema } from 'typebox';
import { LIMITS } from '../../pipeline/limits.ts';
import * as documents from '../../pipeline/protocol/index.ts';
import type { Server } from './route-context.ts';

/** Request parts that several routes share, and the answers by name for the API document. */

const NAMED = {
  Job: documents.Job,
  JobPage: documents.JobPage,
  ChunkPage: documents.ChunkPage,
  RecordPage: documents.RecordPage,
  RejectPage: documents.RejectPage,
  Profile: documents.Profile,
  Manifest: documents.Manifest,
  SniffAnswer: documents.SniffAnswer,
  StoredLookup: documents.StoredLookup,
  PlanCheckAnswer: documents.PlanCheckAnswer,
  WorkerList: documents.WorkerList,
  Problem: documents.Problem,
} as const satisfies Record<string, TSchema>;

type Named = typeof NAMED;

export function addNamedSchemas(app: Server): void {
  for (const [name, schema] of Object.entries(NAMED)) app.addSchema({ ...schema, $id: name });
}

/** Schema of an answer, by reference. */
export function answer<Name extends keyof Named>(name: Name, description: string) {
  return {
    description,
    content: {
      'application/json': {
        schema: Type.Unsafe<Static<Named[Name]>>({ $ref: `${name}#` }),
      },
    },
  };
}

/** The problems any call may answer with. */
export const PROBLEMS = {
  '4xx': {
    description: 'Problem details (RFC 9457)',
    content: { 'application/problem+json': { schema: Type.Unsafe({ $ref: 'Problem#' }) } },
  },
  '5xx': {
    description: 'Problem details (RFC 9457)',
    content: { 'application/problem+json': { schema: Type.Unsafe({ $ref: 'Problem#' }) } },
  },
} as const;

export interface BytesContent {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>;
}

/** A body or an answer of bytes or text in any of these types: streamed, never validated. */
export function bytesContent(
  description: string,
  ...contentTypes: readonly string[]
): BytesContent {
  const schema = Type.Unsafe<unknown>({ type: 'string' });
  return {
    description,
    content: Object.fromEntries(contentTypes.map((type) => [type, { schema }])),
  };
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Body for the API document, where the route reads a stream. */
    readonly documentedBody?: BytesContent;
  }
}

export const JobParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });

export const PageQuery = Type.Object({
  offset: Type.Integer({ minimum: 0, default: 0 }),
  limit: Type.Integer({
    minimum: 1,
    maximum: LIMITS.pageRecordsMax,
    default: LIMITS.pageRecordsDefault,
  }),
});

export const Cursor = Type.String({ minLength: 1, maxLength: 512 });

/** A switch in a URL: `1` or `true` is on; left out is off. */
export const Flag = Type.Unsafe<'1' | 'true' | '0' | 'false'>({
  type: 'string',
  enum: ['1', 'true', '0', 'false'],
});

export function isOn(flag: Static<typeof Flag> | undefined): boolean {
  return flag === '1' || flag === 'true';
}
