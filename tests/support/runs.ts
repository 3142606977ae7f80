/**
 * How often a property is tried: so many times as it says, or `SLUICE_FUZZ` times as often.
 * `npm run fuzz` sets that.
 */
export function runs(count: number): number {
  return Math.ceil(count * Number(process.env['SLUICE_FUZZ'] ?? 1));
}
