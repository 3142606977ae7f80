/** Name of the cookie that holds a person's token, so that links and sockets carry it too. */
const NAME = 'sluice_session';

/** The Authorization that a request carries: its header, else what its session cookie stands for. */
export function authorizationOf(headers: {
  readonly authorization?: string | undefined;
  readonly cookie?: string | undefined;
}): string | undefined {
  if (headers.authorization !== undefined) return headers.authorization;
  for (const pair of (headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at < 0 || pair.slice(0, at).trim() !== NAME) continue;
    return `Bearer ${decoded(pair.slice(at + 1).trim())}`;
  }
  return undefined;
}

/** Set-Cookie that opens a session until the browser closes, or ends it when the token is ''.
 *  Scripts cannot read it, and other sites' pages cannot send it. */
export function sessionCookie(token: string, isSecure: boolean): string {
  return [
    `${NAME}=${encodeURIComponent(token)}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
    ...(token === '' ? ['Max-Age=0'] : []),
  ].join('; ');
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
