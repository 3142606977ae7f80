import { onScopeDispose, ref, watch, type Ref } from 'vue';

/** Follows `source`, but shows a value only once it has stood for `forMs`; null at once. */
export function useSteady<T>(source: () => T | null, forMs: number): Readonly<Ref<T | null>> {
  const shown = ref(null) as Ref<T | null>;
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(
    source,
    (value) => {
      clearTimeout(timer);
      if (value === null) shown.value = null;
      else timer = setTimeout(() => (shown.value = value), forMs);
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    clearTimeout(timer);
  });
  return shown;
}
