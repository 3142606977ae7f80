import { median } from './report.ts';

/** Does the work so often; the median of the processor time of all threads, in milliseconds. */
export async function medianPassCpuMs(
  passes: number,
  work: () => void | Promise<void>,
): Promise<number> {
  const times: number[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return median(times);
}
