import { Type } from 'typebox';
import { LIMITS } from '../../../pipeline/limits.ts';
import { JobStatus } from '../../../pipeline/protocol/index.ts';
import type { RouteContext, Server } from '../route-context.ts';
import { answer, Cursor, JobParams, PROBLEMS } from '../schemas.ts';

const JobQuery = Type.Object({
  status: Type.Optional(Type.Unsafe<JobStatus>({ type: 'string', enum: statusNames() })),
  q: Type.Optional(Type.String({ maxLength: 255, description: 'part of the name' })),
  cursor: Type.Optional(Cursor),
  limit: Type.Integer({ minimum: 1, maximum: LIMITS.pageRecordsMax, default: 50 }),
});

const ACTIONS = {
  cancel: 'Stop a job; what is done stays',
  pause: 'Publish no further chunks of a job',
  resume: 'Go on with a paused job',
  retry: "Run a job's failed chunks again, and those whose stored results are damaged",
} as const;

/** Listing, reading and steering jobs. */
export async function jobRoutes(app: Server, { service }: RouteContext): Promise<void> {
  app.get(
    '/api/jobs',
    {
      schema: {
        tags: ['jobs'],
        summary: 'List jobs, newest first',
        querystring: JobQuery,
        response: { 200: answer('JobPage', 'A page of jobs'), ...PROBLEMS },
      },
    },
    async ({ query }) =>
      service.listJobs({
        status: query.status ?? null,
        q: query.q === undefined || query.q === '' ? null : query.q,
        cursor: query.cursor ?? null,
        limit: query.limit,
      }),
  );

  const params = JobParams;
  app.get(
    '/api/jobs/:id',
    {
      schema: {
        tags: ['jobs'],
        summary: 'One job',
        params,
        response: { 200: answer('Job', 'The job'), ...PROBLEMS },
      },
    },
    async (request) => service.getJob(request.params.id),
  );

  for (const [action, summary] of Object.entries(ACTIONS)) {
    app.post(
      `/api/jobs/:id/${action}`,
      {
        schema: {
          tags: ['jobs'],
          summary,
          params,
          response: { 200: answer('Job', 'The job afterwards'), ...PROBLEMS },
        },
      },
      async (request) => await service[action as keyof typeof ACTIONS](request.params.id),
    );
  }

  app.delete(
    '/api/jobs/:id',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Delete a job and its outputs; one under way is cancelled first',
        params,
        response: { 204: Type.Null({ description: 'Deleted' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      await service.delete(request.params.id);
      return await reply.code(204).send(null);
    },
  );
}

function statusNames(): JobStatus[] {
  return JobStatus.anyOf.map((literal) => literal.const);
}
