/**
 * Whose turn it is: jobs publish one task each in rotation, so that a huge job does not starve a
 * small one. Pure: `last` is the job that was served last.
 */
export function nextInTurn(publishable: readonly string[], last: string | null): string | null {
  if (publishable.length === 0) return null;
  const sorted = [...publishable].sort();
  return sorted.find((jobId) => last === null || jobId > last) ?? sorted[0] ?? null;
}
