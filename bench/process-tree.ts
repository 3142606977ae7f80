import { readdirSync, readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 25;

/** Processes of Sluice, whose memory has a bound. */
export type Role = 'master' | 'worker';

export interface TreeUsage {
  /** Most resident memory of any one process of that role that was seen. */
  readonly peakBytesByRole: Readonly<Partial<Record<Role, number>>>;
  /** Largest sum of resident memory that was seen; shared pages count once for each process. */
  readonly peakResidentBytes: number;
  /** Processor time of all processes, as last seen before each ended. */
  readonly cpuMs: number;
}

/** Watches a process and its descendants through /proc; zeros where there is none. */
export function watchTree(rootPid: number): { stop(): TreeUsage } {
  let peakResidentBytes = 0;
  const cpuMsByPid = new Map<number, number>();
  const peakBytesByRole: Partial<Record<Role, number>> = {};
  const sample = (): void => {
    const members = treeOf(rootPid);
    let residentBytes = 0;
    for (const member of members) {
      residentBytes += member.residentBytes;
      cpuMsByPid.set(member.pid, member.cpuMs);
      const role = roleOf(member.pid);
      if (role === null) continue;
      peakBytesByRole[role] = Math.max(peakBytesByRole[role] ?? 0, member.residentBytes);
    }
    peakResidentBytes = Math.max(peakResidentBytes, residentBytes);
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      let cpuMs = 0;
      for (const ms of cpuMsByPid.values()) cpuMs += ms;
      return { peakResidentBytes, peakBytesByRole, cpuMs };
    },
  };
}

/** Processor time of one process so far; 0 when it is gone. */
export function cpuMsOf(pid: number): number {
  return readMember(pid)[0]?.cpuMs ?? 0;
}

/** By the script that it runs. */
function roleOf(pid: number): Role | null {
  try {
    const [, script = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (script.endsWith('/cli/main.js')) return 'master';
    return script.endsWith('/worker/main.js') ? 'worker' : null;
  } catch {
    return null;
  }
}

interface Member {
  readonly pid: number;
  readonly parent: number;
  readonly residentBytes: number;
  readonly cpuMs: number;
}

function treeOf(rootPid: number): Member[] {
  const all = allProcesses();
  const found = all.filter(({ pid }) => pid === rootPid);
  for (let i = 0; i < found.length; i++) {
    found.push(...all.filter(({ parent }) => parent === found[i]?.pid));
  }
  return found;
}

function allProcesses(): Member[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names.filter((name) => /^\d+$/.test(name)).flatMap((name) => readMember(Number(name)));
}

/** Empty when the process ended meanwhile. Fields by proc(5). */
function readMember(pid: number): Member[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return [
      {
        pid,
        parent: Number(fields[1]),
        residentBytes: Number(fields[21]) * PAGE_BYTES,
        cpuMs: (ticks * 1000) / TICKS_PER_SECOND,
      },
    ];
  } catch {
    return [];
  }
}
