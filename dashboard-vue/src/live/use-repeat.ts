import { onScopeDispose } from 'vue';

/**
 * Runs `task` now and then again `delayMs()` after each end, while the page can be seen. `task` must
 * not reject. `again` runs it at once, after the running one.
 */
export function useRepeat(task: () => Promise<void>, delayMs: () => number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isRunning = false;
  let isWanted = false;
  let isStopped = false;

  async function run(): Promise<void> {
    clearTimeout(timer);
    if (isRunning) {
      isWanted = true;
      return;
    }
    isRunning = true;
    await task();
    isRunning = false;
    if (isStopped) return;
    if (isWanted) {
      isWanted = false;
      await run();
    } else if (!document.hidden) timer = setTimeout(() => void run(), delayMs());
  }
  const onVisible = () => {
    if (!document.hidden) void run();
  };
  document.addEventListener('visibilitychange', onVisible);
  onScopeDispose(() => {
    isStopped = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', onVisible);
  });
  void run();
  return { again: () => void run() };
}
