import helmet from '@fastify/helmet';
import type { Server } from './route-context.ts';

/**
 * Everything comes from this server. Components of the dashboard write their styles into the page,
 * hence inline styles; scripts are files only. `connect-src 'self'` covers the page's own socket.
 */
export const CONTENT_SECURITY_POLICY: Readonly<Record<string, string[]>> = {
  'default-src': ["'self'"],
  'base-uri': ["'self'"],
  'connect-src': ["'self'"],
  'font-src': ["'self'", 'data:'],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'img-src': ["'self'", 'data:', 'blob:'],
  'object-src': ["'none'"],
  'script-src': ["'self'"],
  'script-src-attr': ["'none'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'worker-src': ["'self'", 'blob:'],
};

export function addSecurityHeaders(app: Server): void {
  void app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { ...CONTENT_SECURITY_POLICY } },
    // Plain HTTP on loopback is the normal case; a proxy that adds TLS adds this, too.
    strictTransportSecurity: false,
  });
}
