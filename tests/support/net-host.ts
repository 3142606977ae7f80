import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';

/** A network namespace of its own: to the processes in it, another machine. */
export interface NetHost {
  /** Of this machine, as seen from the host. */
  readonly gateway: string;
  /** What a command line starts with to run there. */
  readonly exec: readonly string[];
  /** Pulls the cable, or puts it in again. */
  connect(isOn: boolean): void;
  remove(): void;
}

/** Null where none can be made: on other systems, without root, without iproute2. */
export function createNetHost(): NetHost | null {
  const id = `sluice${randomInt(1e6)}`;
  const near = `${id.slice(6)}n`;
  const far = `${id.slice(6)}f`;
  const net = `10.77.${randomInt(1, 255)}`;
  const steps = [
    ['netns', 'add', id],
    ['link', 'add', `v${near}`, 'type', 'veth', 'peer', 'name', `v${far}`],
    ['link', 'set', `v${far}`, 'netns', id],
    ['addr', 'add', `${net}.1/24`, 'dev', `v${near}`],
    ['link', 'set', `v${near}`, 'up'],
    ['-n', id, 'addr', 'add', `${net}.2/24`, 'dev', `v${far}`],
    ['-n', id, 'link', 'set', 'lo', 'up'],
    ['-n', id, 'link', 'set', `v${far}`, 'up'],
  ];
  const remove = (): void => {
    ip('link', 'del', `v${near}`);
    ip('netns', 'del', id);
  };
  if (!steps.every((step) => ip(...step))) {
    remove();
    return null;
  }
  return {
    gateway: `${net}.1`,
    exec: ['ip', 'netns', 'exec', id],
    connect: (isOn) => void ip('link', 'set', `v${near}`, isOn ? 'up' : 'down'),
    remove,
  };
}

function ip(...args: readonly string[]): boolean {
  return spawnSync('ip', args, { stdio: 'ignore' }).status === 0;
}
