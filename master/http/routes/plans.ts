import { LIMITS } from '../../../pipeline/limits.ts';
import { checkPlan } from '../../../pipeline/plan/check.ts';
import type { Server } from '../route-context.ts';
import { answer, bytesContent, PROBLEMS } from '../schemas.ts';

const PLAN = bytesContent(
  'The plan as YAML or JSON text, or {"plan": "<text>"}',
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
    async (request) => checkPlan(planText(request.body)),
  );
}

/** The text itself keeps the places of what is wrong; only the wrapper is taken off. */
function planText(body: unknown): string {
  const text = typeof body === 'string' ? body : '';
  const wrapped = parseJson(text);
  if (typeof wrapped !== 'object' || wrapped === null) return text;
  if (Object.keys(wrapped).length !== 1 || !('plan' in wrapped)) return text;
  return typeof wrapped.plan === 'string' ? wrapped.plan : JSON.stringify(wrapped.plan);
}

function parseJson(text: string): unknown {
  if (!/^\s*\{/.test(text)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null; // YAML, or a plan with an error that the compiler reports with its place.
  }
}
