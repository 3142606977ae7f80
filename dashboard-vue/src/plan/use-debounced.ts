import { onScopeDispose, watch, type WatchSource } from 'vue';

/**
 * Runs `task` some time after `source` last changed, and once at the start. A newer change aborts the
 * running task's signal; what a task throws after that is dropped, else `task` handles its errors.
 */
export function useDebounced<T>(
  source: WatchSource<T>,
  delayMs: number,
  task: (value: T, signal: AbortSignal) => Promise<void>,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let controller = new AbortController();
  watch(
    source,
    (value, before) => {
      clearTimeout(timer);
      controller.abort();
      controller = new AbortController();
      const { signal } = controller;
      const delay = before === undefined ? 0 : delayMs;
      timer = setTimeout(() => void task(value, signal), delay);
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    clearTimeout(timer);
    controller.abort();
  });
}
