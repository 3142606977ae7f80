import type { IncomingMessage } from 'node:http';
import { Server as SocketServer, type Namespace, type Socket } from 'socket.io';
import { errorDocument, SluiceError } from '../../pipeline/errors.ts';
import type { ClientToServer, ServerToClient, WatchAnswer } from '../../pipeline/protocol/index.ts';
import type { MasterService } from '../service.ts';
import type { AccessControl } from './access.ts';
import { authorizationOf } from './session-cookie.ts';
import type { HostGuard } from './host-guard.ts';
import { createJobFeeds, type JobFeeds } from './job-feeds.ts';
import type { Server } from './route-context.ts';

/** Messages of clients are job ids. */
const MESSAGE_BYTES_MAX = 16 * 1024;
/** A page shows one job, perhaps a few. */
const WATCHES_PER_SOCKET_MAX = 64;
/** Events that wait for one client; some ten seconds' worth. */
const BACKLOG_MAX = 64;

type LiveServer = SocketServer<ClientToServer, ServerToClient>;
type LiveSocket = Socket<ClientToServer, ServerToClient>;

export interface LiveDependencies {
  readonly service: MasterService;
  readonly access: AccessControl;
  readonly guard: HostGuard;
}

/** Socket.IO on the same port: namespace `/jobs`, events of pipeline/protocol/live.ts. */
export function attachLive(app: Server, { service, access, guard }: LiveDependencies): void {
  const server: LiveServer = new SocketServer(app.server, {
    serveClient: false,
    maxHttpBufferSize: MESSAGE_BYTES_MAX,
    allowRequest: (request, answer) => answer(null, isWelcome(request, guard)),
  });
  const jobs = server.of('/jobs');
  const feeds = createJobFeeds({
    service,
    broadcast(jobId, event, document) {
      dropSlow(jobs, jobId);
      jobs.to(jobId).emit(event, document as never);
    },
    onError: (error, jobId) => app.log.error({ err: error, jobId }, 'live view failed'),
  });

  jobs.use((socket, next) => {
    try {
      access.check('viewer', credentialsOf(socket));
      next();
    } catch (error) {
      next(handshakeError(error));
    }
  });
  jobs.on('connection', (socket) => serveSocket(socket, feeds));
  app.addHook('preClose', async () => {
    feeds.close();
    jobs.disconnectSockets(true);
    server.engine.close();
  });
}

/** Who does not keep up is cut off: it connects again and starts from a snapshot. */
function dropSlow(jobs: Namespace<ClientToServer, ServerToClient>, jobId: string): void {
  for (const id of jobs.adapter.rooms.get(jobId) ?? []) {
    const socket = jobs.sockets.get(id);
    if (socket !== undefined && backlogOf(socket) > BACKLOG_MAX) {
      socket.disconnect(true);
    }
  }
}

/** Packets the transport has not taken; engine.io keeps their number to itself. */
function backlogOf(socket: LiveSocket): number {
  const { writeBuffer } = socket.conn as unknown as { readonly writeBuffer: readonly unknown[] };
  return writeBuffer.length;
}

function serveSocket(socket: LiveSocket, feeds: JobFeeds): void {
  const watched = new Set<string>();

  socket.on('watch', (request, answer) => {
    const reply = typeof answer === 'function' ? answer : () => undefined;
    const jobId = jobIdOf(request);
    reply(jobId === null ? refusal(new SluiceError('bad-request', 'no jobId')) : watch(jobId));
  });
  socket.on('unwatch', (request) => {
    const jobId = jobIdOf(request);
    if (jobId === null || !watched.delete(jobId)) return;
    void socket.leave(jobId);
    feeds.leave(jobId);
  });
  socket.on('disconnect', () => {
    for (const jobId of watched) feeds.leave(jobId);
    watched.clear();
  });

  function watch(jobId: string): WatchAnswer {
    const again = watched.has(jobId);
    try {
      if (!again && watched.size >= WATCHES_PER_SOCKET_MAX) {
        throw new SluiceError('limit-exceeded', 'too many jobs are watched at once');
      }
      if (!again) feeds.join(jobId);
      watched.add(jobId);
      void socket.join(jobId);
      // The answer goes out first: it is sent in this turn, the view in the next.
      setImmediate(() => {
        if (watched.has(jobId)) feeds.greet(jobId, (event, document) => void emit(event, document));
      });
      return { ok: true };
    } catch (error) {
      return refusal(error);
    }
  }

  function emit(event: keyof ServerToClient, document: unknown): boolean {
    return socket.emit(event, document as never);
  }
}

function refusal(error: unknown): WatchAnswer {
  const { code, message } = errorDocument(error);
  return { ok: false, code, message: code === 'internal' ? 'internal error' : message };
}

function jobIdOf(request: unknown): string | null {
  if (typeof request !== 'object' || request === null || !('jobId' in request)) return null;
  const { jobId } = request;
  return typeof jobId === 'string' && jobId.length > 0 && jobId.length <= 64 ? jobId : null;
}

function credentialsOf({ handshake, conn }: LiveSocket) {
  const token: unknown = handshake.auth['token'];
  const authorization =
    typeof token === 'string' && token !== ''
      ? `Bearer ${token}`
      : authorizationOf(handshake.headers);
  return { authorization, remoteAddress: conn.remoteAddress };
}

function isWelcome(request: IncomingMessage, guard: HostGuard): boolean {
  try {
    guard.check(request.headers, true);
    return true;
  } catch {
    return false; // Refused with 403 by the socket's server, which has no room for a reason.
  }
}

/** What `connect_error` shows: the message, and the code in `data`. */
function handshakeError(error: unknown): Error {
  const { code, message } = errorDocument(error);
  return Object.assign(new Error(message), { data: { code } });
}
