import type { ChildMessage } from '../../pipeline/protocol/ipc-messages.ts';
import { checkMasterMessage } from '../../pipeline/protocol/parse-message.ts';
import type { MasterPort } from './in-process-consumer.ts';

/** The IPC channel this process was started with, or null when it was started without one. */
export function masterPort(): MasterPort | null {
  if (process.send === undefined || !process.connected) return null;
  const send = process.send.bind(process);
  return {
    send: (message: ChildMessage) =>
      new Promise((resolve, reject) => {
        send(message, undefined, undefined, (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      }),
    onMessage: (listener) => void process.on('message', listener),
    onClosed: (listener) => void process.once('disconnect', listener),
    close: () => {
      if (process.connected) process.disconnect();
    },
  };
}

/** Calls `end` when the master asks for it, and when the master is gone, whatever the broker. */
export function endWithMaster(port: MasterPort, end: () => void): void {
  port.onClosed(end);
  port.onMessage((message) => {
    const checked = checkMasterMessage(message);
    if (checked.ok && checked.value.kind === 'drain') end();
  });
}
