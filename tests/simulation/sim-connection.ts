import { SluiceError } from '../../pipeline/errors.ts';
import type { SimProcess } from './sim-process.ts';

const TRAVEL_MS = 1;
const REFUSED_PAUSE_MS = 200;
/** Less than production waits, so that it happens. */
const PUBLISH_WITHIN_MS = 500;
const HEARTBEAT_WITHIN_MS = 100;

/** What a connection needs to know of its broker. */
export interface BrokerFacts {
  isUp: boolean;
  /** Takes no messages now: its disk or memory alarm. */
  isBlocked: boolean;
}

/** One process's connection to the broker: cut and made again, each time under a new epoch. */
export class SimConnection {
  readonly process: SimProcess;
  isUp = true;
  epoch = 0;
  lost = new AbortController();
  readonly onReconnected: (() => void)[] = [];
  readonly #broker: BrokerFacts;
  #waiters: (() => void)[] = [];

  constructor(process: SimProcess, broker: BrokerFacts) {
    this.process = process;
    this.#broker = broker;
  }

  /** Ends this epoch. A living process connects again by itself, as soon as the broker is up. */
  cut(): void {
    if (this.isUp) {
      this.isUp = false;
      this.#reconnectLater();
    }
    this.epoch += 1;
    this.lost.abort();
    this.lost = new AbortController();
  }

  /**
   * Sends a message until the broker has confirmed it. A cut leaves open whether it was stored; then
   * it is sent again, so that it may be stored twice. Rejects when that took too long.
   */
  async publish(label: string, heartbeat: boolean, store: () => void): Promise<void> {
    const withinMs = heartbeat ? HEARTBEAT_WITHIN_MS : PUBLISH_WITHIN_MS;
    const endMs = this.process.scheduler.nowMs + withinMs;
    while (this.process.scheduler.nowMs < endMs) {
      if (!this.isUp) {
        await this.#untilUp(endMs);
        continue;
      }
      const { epoch } = this;
      const outcome = await this.process.call(label, TRAVEL_MS, () => {
        const held = this.epoch === epoch;
        if (held && this.#broker.isBlocked) return 'refused';
        if (held || (this.#broker.isUp && this.process.random.chance(0.5))) store();
        return held ? 'stored' : 'lost';
      });
      if (outcome === 'stored') return;
      if (outcome === 'refused') await this.process.sleep(REFUSED_PAUSE_MS);
    }
    throw new SluiceError('broker-unavailable', `no answer from the broker for ${withinMs} ms`);
  }

  #reconnectLater(): void {
    const { process } = this;
    process.after(process.random.between(5, 400), 'connects', () => {
      if (!this.#broker.isUp) {
        this.#reconnectLater();
        return;
      }
      this.isUp = true;
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const wake of waiters) wake();
      for (const listener of this.onReconnected) listener();
    });
  }

  #untilUp(endMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.process.after(endMs - this.process.scheduler.nowMs, 'gives up', resolve);
    });
  }
}
