import { io, type Socket } from 'socket.io-client';
import type { ClientToServer, ServerToClient } from '../../../pipeline/protocol/index.ts';
import type { FeedSocket } from './job-feed.ts';

type JobsSocket = Socket<ServerToClient, ClientToServer>;

let shared: JobsSocket | null = null;

/** The one connection of this page to the namespace /jobs; made when first needed. */
function jobsSocket(): JobsSocket {
  shared ??= io('/jobs', {
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
  });
  return shared;
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
