import { onScopeDispose, ref, type Ref } from 'vue';

/** The time, as often as asked for: for ages and rates that go on changing by themselves. */
export function useClock(everyMs: number): Readonly<Ref<number>> {
  const now = ref(Date.now());
  const timer = setInterval(() => {
    now.value = Date.now();
  }, everyMs);
  onScopeDispose(() => {
    clearInterval(timer);
  });
  return now;
}
