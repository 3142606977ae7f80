import { io, type Socket } from 'socket.io-client';
import type { ClientToServer, ServerToClient } from '../../../pipeline/protocol/index.ts';
import type { FeedSocket } from './job-feed.ts';

type JobsSocket = Socket<ServerToClient, ClientToServer>;

const RECONNECT_MS = 1000;
let shared: JobsSocket | null = null;

/** The one connection of this page to the namespace /jobs; made when first needed. */
function jobsSocket(): JobsSocket {
  shared ??= connect();
  return shared;
}

function connect(): JobsSocket {
  const socket: JobsSocket = io('/jobs', {
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
  });
  // The library gives up when the server itself ended or refused the connection, as it does while it
  // shuts down: `active` is false then.
  const connectLater = () => {
    if (!socket.active) setTimeout(() => socket.connect(), RECONNECT_MS);
  };
  socket.on('disconnect', connectLater);
  socket.on('connect_error', connectLater);
  return socket;
}

export function createFeedSocket(): FeedSocket {
  const socket = jobsSocket();
  return {
    get connected() {
      return socket.connected;
    },
    on: (name, listener) => void socket.on(name, listener as never),
    off: (name, listener) => void socket.off(name, listener as never),
    watch: (jobId, answer) => void socket.emit('watch', { jobId }, answer),
    unwatch: (jobId) => void socket.emit('unwatch', { jobId }),
  };
}
