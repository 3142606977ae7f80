import { type ErrorCode, ERROR_CODES, SluiceError } from '../../pipeline/errors.ts';
import type { ChildMessage, MasterMessage } from '../../pipeline/protocol/ipc-messages.ts';
import { checkMasterMessage } from '../../pipeline/protocol/parse-message.ts';
import type {
  Announcement,
  Delivery,
  QueueStatus,
  TaskConsumer,
  Verdict,
} from '../../pipeline/protocol/index.ts';

/** The child's end of the channel to the master. */
export interface MasterPort {
  /** Rejects when the channel is gone. */
  send(message: ChildMessage): Promise<void>;
  onMessage(listener: (message: unknown) => void): void;
  onClosed(listener: () => void): void;
  close(): void;
}
import { RevokedJobs } from './revoked-jobs.ts';

interface Announcing {
  readonly resolve: () => void;
  readonly reject: (error: SluiceError) => void;
}

/** A worker's half of the embedded queue: the master holds it, this process is its child. */
export class InProcessConsumer implements TaskConsumer {
  readonly #port: MasterPort;
  readonly #announcing = new Map<number, Announcing>();
  readonly #running = new Set<Promise<void>>();
  readonly #revoked = new RevokedJobs();
  readonly #lost = new AbortController();
  readonly #noMoreTasks: Promise<void>;
  #onNoMoreTasks: () => void = () => {};
  #handler: ((delivery: Delivery) => Promise<Verdict>) | null = null;
  #requestCount = 0;

  /** `onFault` is told what the master should not have sent, and handlers that reject. */
  constructor(port: MasterPort, onFault: (thrown: unknown) => void) {
    this.#port = port;
    this.#noMoreTasks = new Promise((resolve) => {
      this.#onNoMoreTasks = resolve;
    });
    port.onMessage((message) => {
      const checked = checkMasterMessage(message);
      if (checked.ok) this.#take(checked.value, onFault);
      else onFault(new SluiceError('internal', `message from the master: ${checked.reason}`));
    });
    port.onClosed(() => this.#disconnected());
  }

  async consume(
    handler: (delivery: Delivery) => Promise<Verdict>,
    prefetch: number,
  ): Promise<void> {
    if (this.#handler !== null) throw new SluiceError('internal', 'consume was called twice');
    this.#handler = handler;
    await this.#send({ kind: 'consume', prefetch });
  }

  /** Resolves when the master has committed the announcement. */
  async announce(announcement: Announcement): Promise<void> {
    const requestId = this.#requestCount++;
    const announced = new Promise<void>((resolve, reject) => {
      this.#announcing.set(requestId, { resolve, reject });
    });
    // Awaited below; a loss of the channel must not count as unhandled before that.
    announced.catch(() => {});
    try {
      await this.#send({ kind: 'announce', requestId, announcement });
      await announced;
    } finally {
      this.#announcing.delete(requestId);
    }
  }

  status(): QueueStatus {
    const connected = !this.#lost.signal.aborted;
    const error = connected ? null : 'the master is gone';
    return { kind: 'in-process', connected, address: '', error };
  }

  async drain(): Promise<void> {
    if (this.#handler !== null && !this.#lost.signal.aborted) {
      await this.#send({ kind: 'stop-consuming' });
      await this.#noMoreTasks;
    }
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async close(): Promise<void> {
    await this.drain();
    this.#port.close();
  }

  #take(message: MasterMessage, onFault: (thrown: unknown) => void): void {
    switch (message.kind) {
      case 'task': {
        const running = this.#handle(message, onFault).finally(() => {
          this.#running.delete(running);
        });
        this.#running.add(running);
        return;
      }
      case 'announced':
        this.#announcing.get(message.requestId)?.resolve();
        return;
      case 'not-announced': {
        const { code, message: text, details } = message.error;
        const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'internal';
        const error = new SluiceError(known, text, { details });
        this.#announcing.get(message.requestId)?.reject(error);
        return;
      }
      case 'revoke':
        this.#revoked.revoke(message.revocation);
        return;
      case 'no-more-tasks':
        this.#onNoMoreTasks();
        return;
      case 'drain':
        // Heard by the process, see master-port.ts: it ends in the same way with any broker.
        return;
    }
  }

  /** Never rejects: a task ends in a verdict, or with the channel. */
  async #handle(
    message: Extract<MasterMessage, { kind: 'task' }>,
    onFault: (thrown: unknown) => void,
  ): Promise<void> {
    const { deliveryId, redelivered, task } = message;
    const handler = this.#handler;
    let verdict: Verdict = 'requeue';
    try {
      if (handler !== null) {
        verdict = await this.#revoked.handle(task, this.#lost.signal, (signal) =>
          handler({ task, redelivered, signal }),
        );
      }
    } catch (thrown) {
      onFault(thrown);
    }
    await this.#send({ kind: 'verdict', deliveryId, verdict }).catch(onFault);
  }

  async #send(message: ChildMessage): Promise<void> {
    if (this.#lost.signal.aborted) throw masterGone();
    try {
      await this.#port.send(message);
    } catch (thrown) {
      throw masterGone(thrown);
    }
  }

  #disconnected(): void {
    this.#lost.abort();
    for (const announcing of this.#announcing.values()) announcing.reject(masterGone());
    this.#onNoMoreTasks();
  }
}

function masterGone(cause?: unknown): SluiceError {
  return new SluiceError('master-unavailable', 'the channel to the master is closed', { cause });
}
