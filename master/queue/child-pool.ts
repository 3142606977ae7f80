import { type ChildProcess, fork } from 'node:child_process';
import type { MasterMessage } from '../../pipeline/protocol/ipc-messages.ts';
import { childEnvironment } from './config.ts';

const RESTART_DELAY_MS = 100;
const RESTART_DELAY_MAX_MS = 10_000;
/** A child that lived this long did not fail by its start. */
const SETTLED_MS = 10_000;
/**
 * There is a worker a core, so that threads that help one of them to collect garbage are in the way
 * of another: a tenth of the time of short runs.
 */
const NODE_FLAGS = ['--single-threaded-gc'];
/** Output of the children belongs to the log: stdout is for data. */
const STDERR = 2;

export interface ChildLaunch {
  /** Script of the children: the built `worker/main.js`. */
  readonly entry: string;
  /** Arguments after `--name worker-N`. */
  readonly args: readonly string[];
  /** Added to the environment of this process; undefined takes away from it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** One process. Its successor has the same name and another id. */
export interface PoolChild {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  /** A child that is gone cannot be sent to; its end is told by `onEnded`. */
  send(message: MasterMessage): void;
}

export interface ChildPoolListener {
  onStarted(child: PoolChild): void;
  /** Never called after `onEnded` of the same child. */
  onMessage(child: PoolChild, message: unknown): void;
  /** The child is gone; `restartMs` until its successor starts, null when none will. */
  onEnded(child: PoolChild, reason: string, restartMs: number | null): void;
}

interface Slot {
  readonly name: string;
  child: ChildProcess | null;
  startedMs: number;
  /** Ends in a row soon after the start. */
  failures: number;
  timer: NodeJS.Timeout | null;
}

/**
 * A fixed number of child processes, `worker-1` and so on. One that ends, whatever the reason, is
 * started again: soon when it had worked for a while, else after a pause that doubles up to 10 s.
 */
export class ChildPool {
  readonly #launch: ChildLaunch;
  readonly #listener: ChildPoolListener;
  readonly #slots: Slot[] = [];
  readonly #ended = new Set<() => void>();
  #startCount = 0;
  #stopping = false;

  constructor(launch: ChildLaunch, listener: ChildPoolListener) {
    this.#launch = launch;
    this.#listener = listener;
  }

  /** Children that there are, or that are about to start again. */
  get count(): number {
    return this.#slots.length;
  }

  /** Adds children. */
  start(count: number): void {
    for (let added = 0; added < count; added++) {
      const name = `worker-${this.#slots.length + 1}`;
      const slot: Slot = { name, child: null, startedMs: 0, failures: 0, timer: null };
      this.#slots.push(slot);
      this.#fork(slot);
    }
  }

  /** Asks every child to finish and exit; those that have not after `withinMs` are killed. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true;
    for (const slot of this.#slots) {
      if (slot.timer !== null) clearTimeout(slot.timer);
      slot.timer = null;
      if (slot.child !== null) sendTo(slot.child, { kind: 'drain' });
    }
    const timer = setTimeout(() => {
      for (const slot of this.#slots) slot.child?.kill('SIGKILL');
    }, withinMs);
    while (this.#slots.some((slot) => slot.child !== null)) {
      await new Promise<void>((resolve) => this.#ended.add(resolve));
    }
    clearTimeout(timer);
  }

  #fork(slot: Slot): void {
    slot.timer = null;
    slot.startedMs = performance.now();
    const child = fork(this.#launch.entry, this.#arguments(slot), {
      stdio: ['ignore', STDERR, STDERR, 'ipc'],
      execArgv: NODE_FLAGS,
      serialization: 'json',
      env: childEnvironment(this.#launch.env ?? {}),
    });
    slot.child = child;
    const started: PoolChild = {
      id: `${slot.name}/${++this.#startCount}`,
      name: slot.name,
      pid: child.pid ?? 0,
      send: (message) => sendTo(child, message),
    };
    child.on('message', (message) => {
      if (slot.child === child) this.#listener.onMessage(started, message);
    });
    const onEnd = (reason: string): void => {
      if (slot.child === child) this.#end(slot, started, reason);
    };
    // 'error' comes instead of 'exit' when the process could not be started at all.
    child.on('error', (error) => {
      if (child.pid === undefined) onEnd(error.message);
    });
    child.once('exit', (code, signal) => onEnd(signal ?? `exit code ${code ?? 0}`));
    if (child.pid !== undefined) this.#listener.onStarted(started);
  }

  #arguments(slot: Slot): string[] {
    return ['--name', slot.name, ...this.#launch.args];
  }

  #end(slot: Slot, ended: PoolChild, reason: string): void {
    slot.child = null;
    slot.failures = performance.now() - slot.startedMs < SETTLED_MS ? slot.failures + 1 : 0;
    const pauseMs = RESTART_DELAY_MS * 2 ** Math.max(0, slot.failures - 1);
    const restartMs = this.#stopping ? null : Math.min(RESTART_DELAY_MAX_MS, pauseMs);
    this.#listener.onEnded(ended, reason, restartMs);
    if (restartMs !== null) slot.timer = setTimeout(() => this.#fork(slot), restartMs);
    for (const resolve of this.#ended) resolve();
    this.#ended.clear();
  }
}

function sendTo(child: ChildProcess, message: MasterMessage): void {
  // A write that fails means that the child is ending, which is told by 'exit'.
  if (child.connected) child.send(message, () => {});
}
