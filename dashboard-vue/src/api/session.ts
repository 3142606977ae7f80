import { ref } from 'vue';
import { ProblemError, UNREACHABLE, problemFrom } from './problem.ts';

/** Whether the server asked for a token: the page shows the sign-in form instead of its content. */
export const needsSignIn = ref(false);

/** Trades a token for a session cookie, which scripts cannot read. Throws ProblemError. */
export async function signIn(token: string): Promise<void> {
  let response: Response;
  try {
    response = await fetch('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
  } catch {
    throw new ProblemError(UNREACHABLE);
  }
  if (response.ok) return;
  const text = await response.text();
  throw new ProblemError(problemFrom(response.status, response.statusText, text));
}
