import { LIMITS } from '../../../pipeline/limits.ts';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { RFC_4180 } from '../../../pipeline/parsing/dialect.ts';
import { checkPlan } from '../../../pipeline/plan/check.ts';
import type { PlanInput } from '../../../pipeline/plan/compile.ts';
import type { Lookup } from '../../../pipeline/plan/lookup.ts';
import { Column } from '../../../pipeline/protocol/index.ts';
import type { Server } from '../route-context.ts';
import { answer, bytesContent, PROBLEMS } from '../schemas.ts';

const PLAN = bytesContent(
  'The plan as YAML or JSON text; or {"plan": "<text>", "columns": [{"name", "type"}], "lookups": {"<file>": [...]}}, ' +
    'where the columns of the input, once known, let names and types be checked too',
  'text/yaml',
  'application/yaml',
  'text/plain',
  'application/json',
);

/** Compiling plans without running them. */
export async function planRoutes(app: Server): Promise<void> {
  // Room for a plan of the largest size as an escaped JSON text.
  const bodyLimit = 2 * LIMITS.planBytesMax;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit }, (_request, body, done) =>
    done(null, body),
  );

  app.post(
    '/api/plans/check',
    {
      config: { documentedBody: PLAN },
      schema: {
        tags: ['plans'],
        summary: "Compile a plan: what is wrong with places, and each step's scope",
        response: { 200: answer('PlanCheckAnswer', 'Valid or not'), ...PROBLEMS },
      },
    },
    async (request) => {
      const { text, input } = planRequest(request.body);
      return checkPlan(text, input);
    },
  );
}

/** What may stand around a plan; the plan is text, or JSON. */
const PlanWrapper = Type.Object(
  {
    plan: Type.Unknown(),
    columns: Type.Optional(Type.Array(Column)),
    lookups: Type.Optional(Type.Record(Type.String(), Type.Array(Column))),
  },
  { additionalProperties: false },
);

/** The text itself keeps the places of what is wrong; only the wrapper is taken off. */
function planRequest(body: unknown): { text: string; input?: PlanInput } {
  const text = typeof body === 'string' ? body : '';
  const wrapped = parseJson(text);
  if (!Value.Check(PlanWrapper, wrapped)) return { text };
  const { plan, columns, lookups } = wrapped;
  const planText = typeof plan === 'string' ? plan : JSON.stringify(plan);
  if (columns === undefined) return { text: planText };
  // The format and the dialect change nothing of what is answered.
  const input = { format: 'csv' as const, dialect: RFC_4180, columns };
  if (lookups === undefined) return { text: planText, input };
  return { text: planText, input: { ...input, lookups: Object.entries(lookups).map(asLookup) } };
}

function asLookup([name, columns]: [string, Column[]]): Lookup {
  const content = { key: '', format: 'csv' as const, dialect: RFC_4180, columns };
  return { name, bytes: 0, content };
}

function parseJson(text: string): unknown {
  if (!/^\s*\{/.test(text)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null; // YAML, or a plan with an error that the compiler reports with its place.
  }
}
