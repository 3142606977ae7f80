import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { SluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import { sendContinue } from './expect-continue.ts';

/** Read-ahead of one upload in this process; the rest waits in the client's socket. */
const READ_AHEAD_BYTES = 256 * 1024;

/**
 * The request's body as a stream of its own. Destroying it only pauses the request: the socket
 * lives on, so that a refusal in the middle of an upload can still be answered. Fails with
 * `input-truncated` when the client goes away, and with `limit-exceeded` beyond `uploadBytesMax`.
 * Nothing is read, and no `100 Continue` sent, before the first read.
 */
export function uploadBody(request: IncomingMessage): Readable {
  let bytes = 0;
  let started = false;
  const body = new Readable({
    highWaterMark: READ_AHEAD_BYTES,
    read() {
      if (!started) start();
      request.resume();
    },
    destroy(error, done) {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      request.pause();
      done(error);
    },
  });

  function start(): void {
    started = true;
    sendContinue(request);
    request.on('data', onData).on('end', onEnd);
  }
  function onData(chunk: Buffer): void {
    bytes += chunk.length;
    if (bytes > LIMITS.uploadBytesMax) body.destroy(uploadTooLarge());
    else if (!body.push(chunk)) request.pause();
  }
  function onEnd(): void {
    body.push(null);
  }
  function onClose(): void {
    if (!request.readableEnded) body.destroy(clientGone(bytes));
  }

  request.on('close', onClose).on('error', onClose);
  return body;
}

/** Watches an upload from beginning to end. */
export interface UploadWatch {
  /** Aborts when the client hangs up before its body was read, or is silent for `idleMs`. */
  readonly signal: AbortSignal;
  /** The body fails with the signal's reason; and it may fail when nobody reads it (any more). */
  guard(body: Readable): void;
  release(): void;
}

export function watchUpload(request: IncomingMessage, idleMs: number): UploadWatch {
  const controller = new AbortController();
  const { signal } = controller;
  const onClose = (): void => {
    if (!request.readableEnded) controller.abort(clientGone(null));
  };
  const stopIdleWatch = onSilence(request, idleMs, (error) => controller.abort(error));
  request.once('close', onClose);
  if (request.destroyed) onClose();
  return {
    signal,
    guard(body) {
      body.on('error', () => undefined);
      const onAbort = (): void => void body.destroy(signal.reason as Error);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    },
    release() {
      stopIdleWatch();
      request.off('close', onClose);
    },
  };
}

/** Silence counts only while we read: a paused request waits for us. */
function onSilence(
  request: IncomingMessage,
  idleMs: number,
  give: (error: SluiceError) => void,
): () => void {
  const checksMax = 4;
  let checks = 0;
  let bytesSeen = -1;
  const timer = setInterval(() => {
    const bytes = request.socket.bytesRead;
    const silent = bytes === bytesSeen && request.readableFlowing === true;
    bytesSeen = bytes;
    checks = silent && !request.complete ? checks + 1 : 0;
    if (checks < checksMax) return;
    clearInterval(timer);
    const detail = `the client sent nothing for ${Math.round(idleMs / 1000)} s`;
    give(new SluiceError('input-truncated', detail));
  }, idleMs / checksMax);
  timer.unref();
  return () => clearInterval(timer);
}

export function uploadTooLarge(): SluiceError {
  return new SluiceError('limit-exceeded', 'the upload is larger than the server takes', {
    details: { bytesMax: LIMITS.uploadBytesMax },
  });
}

function clientGone(bytes: number | null): SluiceError {
  return new SluiceError('input-truncated', 'the client closed the connection', {
    details: bytes === null ? {} : { bytes },
  });
}
